"""The report of a run: one HTML file that shows what the training did, number by number and completion by completion.

Promises: works on an unfinished run, obeys nothing that a model wrote, needs no network and no script, and gives the
same bytes for the same run directory. It knows the files of a run directory and nothing of the code that wrote them.

    visible    hostile text made harmless        reading    the run directory's files
    scale      numbers made readable             charts     numbers to SVG
    pictures   which metrics to draw             table      before and after
    groups     which attempts to show            cards      how an attempt is shown
    page       the file                          style      its colours
"""

from __future__ import annotations

from grpo_rust.report.page import page_html, write_report
from grpo_rust.report.reading import ReportError, read_run
from grpo_rust.report.table import closing_table
from grpo_rust.report.visible import escape, visible

__all__ = ["ReportError", "closing_table", "escape", "page_html", "read_run", "visible", "write_report"]
