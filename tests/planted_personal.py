"""Personal data that is nobody's, and what only looks like it. Each gives a kind, a value, and the words before it."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

Rng = np.random.Generator
T = TypeVar("T")


def one_of(rng: Rng, of: Sequence[T]) -> T:
    return of[int(rng.integers(0, len(of)))]


Personal = tuple[str, str, str]


def _digits(rng: Rng, n: int, first: str = "0123456789") -> str:
    return str(rng.choice(list(first))) + "".join(map(str, rng.integers(0, 10, n - 1)))


def _pattern(rng: Rng, form: str) -> str:
    """`N` becomes 2 to 9, `#` any figure."""
    return "".join(str(rng.integers(2, 10)) if c == "N" else str(rng.integers(0, 10)) if c == "#" else c for c in form)


def email(rng: Rng) -> Personal:
    name = one_of(rng, ["ann.lee", "j_doe", "info", "maria+news", "x.y-z", "b.o'neill", "müller", "k99"])
    hosts = ["example.com", "mail.example.co.uk", "firma-beispiel.de", "uni.example.edu", "post.example.org"]
    return "email", f"{name}@{one_of(rng, hosts)}", ""


_PHONES = {
    "us": ["(415) 555-01##", "212-555-01##", "+1 650 253 0###", "+1-312-555-01##"],
    "gb": ["020 7946 0###", "+44 20 7946 0###", "07911 123###", "+44 7911 123 ###"],
    "de": ["030 9018 2###", "+49 30 9018 2###", "+49 (0)89 2180 #### ", "0171 23456##"],
    "fr": ["01 42 68 53 ##", "+33 1 42 68 53 ##", "06 12 34 5# ##"],
    "es": ["91 123 4# ##", "+34 612 34 5# ##"],
    "it": ["06 6982 ####", "+39 06 6982 ####", "+39 347 123 45##"],
    "nl": ["020 624 ####", "+31 20 624 ####", "+31 6 1234 56##"],
}


def phone(rng: Rng) -> Personal:
    region = str(one_of(rng, list(_PHONES)))
    return "phone", _pattern(rng, str(one_of(rng, _PHONES[region])).strip()), str(one_of(rng, ["call ", "tel. ", ""]))


def _luhn(body: str) -> str:
    doubled = [int(c) * (2 if i % 2 == 0 else 1) for i, c in enumerate(reversed(body))]
    return str(-sum(d - 9 if d > 9 else d for d in doubled) % 10)


def card(rng: Rng, *, valid: bool = True) -> Personal:
    brand = str(one_of(rng, ["4", "5", "37"]))
    body = {"4": "4" + _digits(rng, 14), "5": _digits(rng, 1, "12345"), "37": "37" + _digits(rng, 12)}[brand]
    if brand == "5":
        body = "5" + body + _digits(rng, 13)
    check = _luhn(body)
    number = body + (check if valid else str((int(check) + int(rng.integers(1, 10))) % 10))
    gap = str(one_of(rng, ["", " ", "-"]))
    cuts = [4, 10] if brand == "37" else [4, 8, 12]
    pieces = [number[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True)]
    return "card", gap.join(pieces), str(one_of(rng, ["card ", "", "paid with "]))


def iban(rng: Rng, *, valid: bool = True) -> Personal:
    country, body = one_of(
        rng,
        [
            ("DE", "37040044" + _digits(rng, 10)),
            ("GB", "NWBK601613" + _digits(rng, 8)),
            ("NL", "ABNA0417164300"),
            ("FR", _french_account(rng)),
        ],
    )
    as_figures = "".join(str(int(c, 36)) for c in body + country + "00")
    check = 98 - int(as_figures) % 97
    whole = f"{country}{check if valid else check % 97 + 1 if check != 97 else 2:02d}{body}"
    return "iban", " ".join(whole[i : i + 4] for i in range(0, len(whole), 4)) if rng.random() < 0.5 else whole, ""


def _french_account(rng: Rng) -> str:
    bank, branch, account = "20041", "01005", _digits(rng, 11)
    key = 97 - (89 * int(bank) + 15 * int(branch) + 3 * int(account)) % 97
    return f"{bank}{branch}{account}{key:02d}"


def ip(rng: Rng) -> Personal:
    v4 = ".".join(str(n) for n in rng.integers(11, 127, 4))
    v6 = one_of(rng, ["2001:db8:85a3::8a2e:370:7334", "fe80::1ff:fe23:4567:890a", "2001:db8:0:1:1:1:1:1"])
    return "ip", v4 if rng.random() < 0.6 else str(v6), str(one_of(rng, ["", "from "]))


def us_ssn(rng: Rng) -> Personal:
    return "us_ssn", f"{rng.integers(100, 650)}-{rng.integers(11, 99)}-{rng.integers(1001, 9999)}", "SSN "


def gb_nhs(rng: Rng) -> Personal:
    while True:
        body = _digits(rng, 9, "4679")
        check = 11 - sum((10 - i) * int(c) for i, c in enumerate(body)) % 11
        if check != 10:
            whole = body + str(check % 11)
            return "gb_nhs", f"{whole[:3]} {whole[3:6]} {whole[6:]}", "NHS number "


def gb_nino(rng: Rng) -> Personal:
    prefix = one_of(rng, ["AB", "CE", "JK", "PW", "ST"])
    one, two, three = (f"{rng.integers(0, 100):02d}" for _ in range(3))
    tight = rng.random() < 0.5
    return "gb_nino", (f"{prefix}{one}{two}{three}C" if tight else f"{prefix} {one} {two} {three} C"), ""


def de_tax_id(rng: Rng) -> Personal:
    """Eleven figures: of the first ten, one stands twice and one is missing; ISO 7064 MOD 11,10."""
    while True:
        figures = rng.permutation(10)[:9]
        ten = [*figures, figures[int(rng.integers(0, 9))]]
        body = "".join(map(str, rng.permutation(ten)))
        if body[0] != "0" and not any(body[i] == body[i + 1] for i in range(9)):
            break
    product = 10
    for c in body:
        total = (int(c) + product) % 10 or 10
        product = 2 * total % 11
    whole = body + str((11 - product) % 10)
    return "de_tax_id", f"{whole[:2]} {whole[2:5]} {whole[5:8]} {whole[8:]}", "Steuer-ID "


def fr_nir(rng: Rng) -> Personal:
    body = f"{rng.integers(1, 3)}{rng.integers(50, 99)}{rng.integers(1, 13):02d}75{rng.integers(1, 900):03d}"
    body += _digits(rng, 3, "123")
    key = f"{97 - int(body) % 97:02d}"
    spaced = f"{body[0]} {body[1:3]} {body[3:5]} {body[5:7]} {body[7:10]} {body[10:]} {key}"
    return "fr_nir", spaced if rng.random() < 0.5 else body + key, ""


def es_dni(rng: Rng) -> Personal:
    n = int(rng.integers(10_000_000, 99_999_999))
    return "es_dni", f"{n}{'-' if rng.random() < 0.3 else ''}{'TRWAGMYFPDXBNJZSQVHLCKE'[n % 23]}", ""


def it_codice_fiscale(rng: Rng) -> Personal:
    body = f"{_letters(rng, 6)}{rng.integers(50, 99)}{one_of(rng, list('ABCDEHLMPRST'))}{rng.integers(1, 29):02d}H501"
    odd = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]
    total = 0
    for i, c in enumerate(body):
        place = int(c) if c.isdigit() else ord(c) - ord("A")
        total += odd[place] if i % 2 == 0 else place
    return "it_codice_fiscale", body + string.ascii_uppercase[total % 26], ""


def nl_bsn(rng: Rng) -> Personal:
    while True:
        body = _digits(rng, 8, "123456789")
        check = sum((9 - i) * int(c) for i, c in enumerate(body)) % 11
        if check < 10:
            return "nl_bsn", body + str(check), "BSN "


PERSONAL: dict[str, Callable[[Rng], Personal]] = {
    "email": email,
    "phone": phone,
    "card": card,
    "iban": iban,
    "ip": ip,
    "us_ssn": us_ssn,
    "gb_nhs": gb_nhs,
    "gb_nino": gb_nino,
    "de_tax_id": de_tax_id,
    "fr_nir": fr_nir,
    "es_dni": es_dni,
    "it_codice_fiscale": it_codice_fiscale,
    "nl_bsn": nl_bsn,
}


def _letters(rng: Rng, n: int) -> str:
    return "".join(rng.choice(list("BCDFGLMNPRST"), n))


def _failing_dni(rng: Rng) -> str:
    n = int(rng.integers(10_000_000, 99_999_999))
    return f"{n}{'TRWAGMYFPDXBNJZSQVHLCKE'[(n + 1) % 23]}"


#: What looks personal and is not: a name for it, and the value.
NEAR_MISSES: Sequence[Callable[[Rng], tuple[str, str]]] = (
    lambda rng: ("date", f"{rng.integers(1990, 2030)}-{rng.integers(1, 13):02d}-{rng.integers(1, 29):02d}"),
    lambda rng: ("date", f"{rng.integers(1, 29):02d}.{rng.integers(1, 13):02d}.{rng.integers(1990, 2030)} 10:15:00"),
    lambda rng: ("time stamp", f"202{rng.integers(0, 7)}-03-07T12:{rng.integers(10, 60)}:56.789"),
    lambda rng: ("order", f"order no. {_digits(rng, 12, '123456789')}"),
    lambda rng: ("order", f"#{_digits(rng, 7, '123456789')}"),
    lambda rng: ("isbn", f"ISBN 978-3-16-{rng.integers(100000, 999999)}-0"),
    lambda rng: ("version", f"version 10.{rng.integers(0, 30)}.{rng.integers(0, 30)}"),
    lambda rng: ("version", f"v{rng.integers(1, 9)}.{rng.integers(0, 30)}.{rng.integers(0, 30)}.{rng.integers(0, 9)}"),
    lambda rng: ("no ip", f"10.{rng.integers(256, 999)}.{rng.integers(0, 256)}.{rng.integers(0, 256)}"),
    lambda rng: ("no card", card(rng, valid=False)[1]),
    lambda rng: ("no iban", iban(rng, valid=False)[1]),
    lambda rng: ("no ssn", f"SSN {one_of(rng, ['000', '666', '987'])}-12-{rng.integers(1000, 9999)}"),
    lambda rng: ("no dni", _failing_dni(rng)),
    lambda rng: ("price", f"{rng.integers(1, 9)},{rng.integers(100, 999)},{rng.integers(100, 999)}.00 dollars"),
    lambda rng: ("years", f"{rng.integers(1990, 2000)}-{rng.integers(2001, 2020)}"),
    lambda rng: ("hash", "".join(rng.choice(list("0123456789abcdef"), 32))),
    lambda rng: ("handle", f"@{one_of(rng, ['home', 'ann_lee', 'work'])} 5pm"),
    lambda rng: ("coordinates", f"{rng.integers(40, 60)}.{_digits(rng, 6)}, {rng.integers(2, 15)}.{_digits(rng, 6)}"),
    lambda rng: ("score", f"{rng.integers(0, 30)}:{rng.integers(0, 30)} 12:{rng.integers(10, 60)}:56"),
    lambda rng: ("big number", f"{rng.integers(10**8, 10**9):,} people"),
)
