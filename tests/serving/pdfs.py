"""PDF documents for tests, written byte by byte: one line of text a page."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence


def pdf(pages: Sequence[str], *, title: str = "", made: str = "") -> bytes:
    """A document with a page for each text; an empty one is a page on which nothing is drawn."""
    kids = " ".join(f"{4 + 2 * place} 0 R" for place in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for place, text in enumerate(pages):
        page = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * place} 0 R "
        objects.append(f"{page}/Resources << /Font << /F1 3 0 R >> >> >>".encode())
        escaped = text.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
        drawn = b"BT /F1 12 Tf 72 700 Td (" + escaped + b") Tj ET" if text else b"q Q"
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn))
    objects.append(f"<< /Title ({title}) /CreationDate ({made}) >>".encode())
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\n" % (len(objects) + 1, len(objects))
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)


#: Documents with one page, `Under lock`, that pypdf 7.1 encrypted (with cryptography 50): by algorithm and password,
#: zlib in base 85.
LOCKED = {
    ("AES-128", ""): (
        "c-oCqJ8K<B6fV+Do6c^A!0lr1ymlUN5$JW1@k2t_ks(3F?93TyZE08R&NY63-CGF(flC)^0*TY4a8d<Vsa5C)n8byfv{8Z!<Jqe#"
        ">B4o9-DR2c&7AL>^PQRA+S1?(y(&=eueV3Xh+=~4;x6j<QMT69e&nFReQyPq6kKkk)J#!LoYVy|GS}P{tk7V%=0pY>j04CyQ=yQ="
        "12E&bp>t?%4ngHRW;Ug8`{5qoY|U;#i?YRfR7FftcD?j1{sxP*a2;<>rSh57MH}r-y@gIWaL2tql^{N;g|eIAOS@1%NGc?~k}|9e"
        "OIm3YRfH<GI3H7G>(JJt#wG5KV~}P~2NcUQt@I_@CS}d&=TrJOpxTPtSc-1GjSbjc^y2vNhkxGv_}j~qqpR1x`}6OA7e?=Y{{Hpi"
        "g8%U4?wj`VxAzXo<EO7*eg4HCzyEje^`({P=GK$_{htn=eMZ#DufKFU6RL@#oT<3mGs=deB96ljOdc=T7RJ?NE3k7PV(Bc(mMd5L"
        "vf9GgowAy*+VTvTDoITVY+#Wb>VA{rDAUOcESM2SDrQ)6s@#d`2xY@)D{mW*vQ^yAr3_Xp4#2rnMmf(5Lqzb_2Tg?ymJ1(@<vK|4"
        "f)+*#U`~3=td${8j(>&wh0Kj2icrE;Al7T=H1Q0)GaQt4Ocy~w4gyrJt)Nm6l42P`uqjC=mc_xiox|uSqxn(XUcTS;GFz(M>K;_x"
        "qMJCIUmk9-i$djD=ZA53fKLg!pg9jNEPK#EKm=<<&L1rEoaZ>;bBw05GM=f<F-rL?rq~R|7@fhmFf*8tvwXQE7g%g;xdY9(x5M%g"
        "q%CLbbsaH3y$si?P-8k7FQv=V50E-QMUgxwUV(*zLt(X5sk5HvF!z6!Y>rP}^KdU>b#{T;Xqz}TPD_P)z2(&b`UtRjP(1"
    ),
    ("AES-128", "secret"): (
        "c-oCrJ!=#}7)C3ZUJ$DRNnxQoGdmwUaD;r_VK5;f7bAW|nB9HnT)FHXyK^BCyL4KK5^SRW0Zacvz{(;it+W*E0@^vdxg-Z?;ofq*"
        "?=$m0&%7VAQ>zP|Tl6+ZQ{R7lJwg-{T*S{%tA&EqvPg#sl(>}`8FD5qjjdvoDQ!6wiAqxnQ5uFkNr;F6hzw&YVsBXqLdRSvWpx_G"
        "(`b4cL7vvkY)oN&cK|q8H9e?MFkcLFhbao~W@&{VVeU7s;mxtoa3XZxIMXkB=#&H3+-qY2{GVDVScWt+bH$EVA^s;R!%8!+<qwfN"
        "$X$g+Llvw+RSe6-bJrXlzj|s=EYGz3>uF0LHK8xY^p_y-xu;n2dcATbm@V}2;P}$Ry)U{N?9eCddhzb?{oa+&;^yGs#<e#yS5N-D"
        "dZFQE@95j*-wzJgKYdvIxgYMwkB?7&&GeVvz8=&%BdU?2oXEI7GYY!H*fnkq`Wnxf3Yu(!JJ8<-mn8-T?K~;cEbrmqewNSXRdxo9"
        "rKH9LHZb=Us{cmGQ5N}HV9qqxQZdbZrLw;BBNTL<$x~CNC|JQQlExwu!X_eQQb-L-3Qc5UtmMFbxZw#SsRXU1O~Gmzf{q1=h}A%%"
        "&{zCk!@@}_fN-sJq=bsJiI|8JLYejR$)ebD5Wqo+$Z#q-A>NnPT0<y_Jj;BiX=m4^BWrf(p0>B^UIq(AvNC|Y-n5K^*>-n>T_h^c"
        "I^T6$9eheqJLS1^QL>#9EFw5U<ov->h)`gQ&oSy}rCG_(F-pTpOtA@!F*<>TTu)$JPVxy!E-+V`tPf?=+ivz8{E>sTqHs7oy$p-F"
        "EifI~3;y!7XcE&fN)#|^wF#{emVtpphlE7_Q!)KNTQ-}?D|ZJDtFsGKIa9i(aFJAKYO1}`L4N^AWk_2"
    ),
    ("AES-256", ""): (
        "c-oCrzl$VA6h<^^1I@&&KsMB_-_-@f%G~Y@{yKNr(YxR{<yF<I-S&37m!6*G?u@)dE>IIALoqyr%hmtjxIj$}6iiG6K@$aE&+g6*"
        "jDbDP@ak2)?|bj-_iAf@clxq;MHgE?|MK|zLNLzS@If&e73F@{rbWb#jkFOe1?!T7h$4H%wQ$)ao)I&zK;@K`ge<iOC8EtiN#v+K"
        "=a@v)+r{>FflV5a<r>2~cTSO&`*4W!qTFd0P0vJ8zFDU^yTLRaJYYB1Le)m-4)k!`9v0^qY`{KP3()_`Rg_mT)o`V~O)Q*#R!HW&"
        "BrZy#>9OhO%q*eG1Dv;uE)w>DF{RyeLoj>EMK8g26t%%`*7)DT=CD6vRuB90zC$=E#-BX+<MC(LU%3C(Q-6K>&-jO@AO8B`{Xf6^"
        "?fn~HzJ2did+VbY-{?k<e*EIuhwr^~_S5rspZoahZ|*(w_oJiVC*OYlpzH^p3#bc5yHW9wb5YI~p<gZsCuw{I=D4h;d<~D!u&*N&"
        "<)n#is+&VrUay;RGp{clYbCigf@{o>Ld>p;lZNblrlr^3I_V`TRUh}%LglQ7CP9~qa*vIS64DwjG&fGk>@^r3JP*cIk&B4lfU8_|"
        "=xx%%n~EDPa|k&m&>p!o%Bq+_>dI>iS&(6zi&%veQU&xy-leX!S@TMuGTK!cq6?@Ebu#8ESeZEY#w8QA3o=@n6&R3&0FqOb(<TQU"
        "2{+r!l^|M>8M%r8m}RgQiDhTHY=>E&F0ApQKbo8ky-@D9aqkqH;m}o9jwiEgY9*ACmz^`~Pp0e~U|4id7JCym0_9|KSyI6UDbb9{"
        "d6TRa*?~oCEcea|3y!ixk4ESO#^pfjCdb7f1i^#~lFd*#St%8x2b)M!QY8+bNf1&*<TeHpCy)S6d9EW#M`tw&I&?U8Co}{~8;H_m"
        "lch;1fe(r%oJXY+B*k%k(r<T|3(l&7uO4O%Rl+h``2@|#a;I7OgixD4CpUajiVdIAe#58jCLRg*#MgIFA7i)d=~;ajDdqB@ZF{E9"
        "FM-#a+%j=t@6x3)3es}xK~qP@WQJRj{wk$GCCpC3_WwC@b2)L{oztGV%Zp>)L)R~b6GE6`YiqJME&c_t@{k7"
    ),
    ("AES-256", "secret"): (
        "c-oCrJButu6qbuogCcT8FtJb;10P+d-UY+L-rX4#z3i}~*FbMjk5juNv)xNi&-Gpd#X#{d2>t>ijl_IGGXpg-)IiYC%tTMmKJLI6"
        "*xf<ZcdEYc)Ys?K&h%jNGQ6UyonL?Z;l~OXXKj418jY%Y+O>I=uw$cSx$p>DS;=)t+8eG>D3N3oHV{x~j>;G5Ob{YrjwKqE4Nu9$"
        "!gs6P-3psLFpCX^Hy@lKtEb@@msP#ru9}`fRlh#ZOZE;^wD5@C-PkI(w(f^MEZXDhf`bj*M;jZ|e`;0rZOrp<tG!PuoL&QhSuaS7"
        "l4yEt`X$qAs`?0*?W#+}J#b7YdNBZIuC(YQ+KzT@>FW*sH?TSGPnc0deA#yxPOI;3d~*KH(ND7{A9?AYum1S>{IkW2&)<0F^x5B^"
        "7=8W`|K;1Kz7XF(Hamae>!07X^XbjS$zOk--2C$F{YO81`Z@Uf)5iy$OR7snvvuMj=c=BqV!xgaAbET%EOC9B`c+)q!+xGZRgat0"
        "=6Q3>>bK|3UbCEE0UJlM8v=KjCWn~0KAg}ro-!r8^2Q1;$f^0FrxL1XeQ0v%a#bHvJxRs0rc&}?oK9LIcUU<0+zasDrBXNu8I{Kr"
        "MDZyn5XE>dDUM(?cgl$90z_?P5}<(_6EF#bLkZF!d5ev>5LsK`$w!-=6JRhX2-cVsqA~`8Q3Va!Vzluglq@hh$3qf{q@wjcStOmv"
        "xiZN}F2Tk?kzgp4NM(PrE{9p4FGqW;{$zY_sD=8VO^0XL42y2FdT%_tBd?8;;;M3H{po~V5Db&<;pA}4MiMDk2&jPkN;<eCEn-Po"
        "Bd1ga2TBx%yl9CIQfaAd7KIGL;Da5EAe!i6))})@g<3Z`587zz=HkgcUYsuw(UlmL3*JYUja5#|0EYf!)HqZ)cBj+?3X+m2z0O=n"
        "0Fjh)4qdj=g4ZQ%cKZDeOU0S1`1Qj`R%%w*H3rlp>qv8r0myC4iY-hC*utdpTbMH2eA@7bSl@;D0=soh&*mQ>rCcAiZO`PzCGc8P"
        "S_YTn1G+RublLHwDN}DtOehc}giPj{;<$Br_x~)pyY9H|!CBAj)y1*wL)Wj30{~s^?2Hd5)xWq$hNA"
    ),
}


def locked(algorithm: str, password: str) -> bytes:
    """A document that is encrypted with AES."""
    return zlib.decompress(base64.b85decode(LOCKED[algorithm, password]))
