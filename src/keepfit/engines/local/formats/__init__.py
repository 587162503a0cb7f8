"""Raw files of any format as tables of texts: `opened(...)`."""

from __future__ import annotations

from keepfit.engines.local.formats.document import arrays
from keepfit.engines.local.formats.head import first_rows
from keepfit.engines.local.formats.opening import format_of, opened
from keepfit.engines.local.formats.protocol import Opened

__all__ = ["Opened", "arrays", "first_rows", "format_of", "opened"]
