"""What the licences of data allow and ask for, and which data may be mixed. No legal advice: a small, careful table."""

from .mixing import Mixed, Stated, mixed
from .names import SPDX, spdx_id, spdx_url
from .table import TABLE, Licence, licence_named

__all__ = ["SPDX", "TABLE", "Licence", "Mixed", "Stated", "licence_named", "mixed", "spdx_id", "spdx_url"]
