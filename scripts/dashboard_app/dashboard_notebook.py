# /// script
# [tool.marimo.display]
# theme = "system"
# ///
"""The dashboard as a marimo app: widgets, and which function draws what they ask for. See `dashboard_app`."""

import marimo

app = marimo.App(width="full", app_title="grpo-rust")


@app.cell
def _():
    import sys
    from pathlib import Path

    import marimo as mo

    from dashboard_app import comparing, completion_index, completion_view, look, panels
    from dashboard_app.asking import trying
    from dashboard_app.hub import hub_of
    from grpo.errors import BadInput, HostFailed
    from grpo_rust.report.pictures import OUTCOMES, usual_window

    hub = hub_of(tuple(Path(word) for word in sys.argv[1:]))
    labels = list(hub.runs)

    def shown(markup):
        return mo.Html(look.page(markup))

    mo.Html(look.style_text())
    return (
        BadInput,
        HostFailed,
        OUTCOMES,
        comparing,
        completion_index,
        completion_view,
        hub,
        labels,
        mo,
        panels,
        shown,
        trying,
        usual_window,
    )


@app.cell
def _(hub, mo):
    get_version, set_version = mo.state(hub.version())
    get_chosen, set_chosen = mo.state((None, None))
    return get_chosen, get_version, set_chosen, set_version


@app.cell
def _(mo):
    clock = mo.ui.refresh(options=["1s", "2s", "10s"], default_interval="2s")
    return (clock,)


@app.cell
def _(clock, get_version, hub, set_version):
    clock.value
    if hub.version() != get_version():
        set_version(hub.version())
    return


@app.cell
def _(clock, get_version, hub, mo, panels, shown):
    get_version()
    mo.hstack([shown(panels.header(hub.runs)), clock], justify="space-between", align="start", wrap=True)
    return


@app.cell
def _(hub, labels, mo, usual_window):
    _names = ["Learning", "Time and money", "Other metrics", "Completions", "Groups", "Mistakes", "Try a prompt"]
    view = mo.ui.tabs({name: "" for name in _names})
    run_of = mo.ui.dropdown(labels, value=labels[0], label="run")
    _steps = max(len(run.files().steps) for run in hub.runs.values())
    choice = [run_of] if len(labels) > 1 else []
    window = mo.ui.slider(1, 200, value=usual_window(_steps), label="rolling window, steps", show_value=True)
    view
    return choice, run_of, view, window


@app.cell
def _(labels, mo, run_of, view, window):
    mo.stop(view.value not in ("Learning", "Time and money", "Other metrics"))
    _choice = [run_of] if len(labels) > 1 and view.value == "Other metrics" else []
    mo.hstack([*_choice, window], justify="start", gap=2, wrap=True)
    return


@app.cell
def _(comparing, get_version, hub, labels, mo, panels, shown, view, window):
    mo.stop(view.value != "Learning")
    get_version()
    if len(labels) > 1:
        _files = {label: run.files() for label, run in hub.runs.items()}
        _parts = [comparing.last_evaluations(_files), comparing.comparison(_files, window.value)]
    else:
        _parts = [panels.run_pictures(hub.runs[labels[0]], window.value, "learning")]
    mo.vstack([shown(_part) for _part in _parts])
    return


@app.cell
def _(get_version, hub, mo, panels, shown, view, window):
    mo.stop(view.value != "Time and money")
    get_version()
    _runs = {label: panels.run_pictures(run, window.value, "time") for label, run in hub.runs.items()}
    _parts = [_part for label, part in _runs.items() for _part in (panels.title(label, len(_runs)), part)]
    mo.vstack([shown(panels.money_table(hub.runs)), *map(shown, _parts)])
    return


@app.cell
def _(get_version, hub, mo, panels, run_of, shown, view, window):
    mo.stop(view.value != "Other metrics")
    get_version()
    shown(panels.run_pictures(hub.runs[run_of.value], window.value, "others"))
    return


@app.cell
def _(OUTCOMES, completion_index, mo):
    phase_of = mo.ui.dropdown(["train", "eval"], value="train", label="phase")
    steps_text = mo.ui.text(label="steps", placeholder="all, or 12, or 10-20", debounce=300)
    task_of = mo.ui.text(label="task", placeholder="a part of its id, or its kind", debounce=300)
    outcome_of = mo.ui.multiselect(list(OUTCOMES), label="outcome")
    code_of = mo.ui.text(label="error", placeholder="E0308", debounce=300)
    order_of = mo.ui.dropdown(list(completion_index.ORDERS), value="newest first", label="order")
    page_of = mo.ui.number(start=1, step=1, value=1, label="page")
    return code_of, order_of, outcome_of, page_of, phase_of, steps_text, task_of


@app.cell
def _(choice, code_of, completion_index, mo, order_of, outcome_of, page_of, phase_of, steps_text, task_of, view):
    mo.stop(view.value != "Completions")
    wanted = completion_index.Wanted(
        phase_of.value,
        *completion_index.steps_of(steps_text.value),
        task_of.value.strip(),
        tuple(outcome_of.value),
        code_of.value.strip(),
    )
    _filters = [*choice, phase_of, steps_text, task_of, outcome_of, code_of, order_of, page_of]
    mo.hstack(_filters, justify="start", gap=1, wrap=True)
    return (wanted,)


@app.cell
def _(get_version, hub, mo, order_of, page_of, panels, run_of, set_chosen, shown, wanted):
    get_version()
    _index, _most = hub.runs[run_of.value].index, 12
    _skip = (int(page_of.value or 1) - 1) * _most
    _page = _index.find(wanted, order_of.value, _most, _skip)
    _rows = panels.table_rows(_page)
    _table = mo.ui.table(
        _rows,
        selection="single",
        pagination=False,
        show_column_summaries=False,
        show_download=False,
        show_search=False,
        show_data_types=False,
        on_change=lambda chosen: set_chosen((run_of.value, _page[_rows.index(chosen[0])])) if chosen else None,
    )
    _found = shown(panels.matches(_index.count(wanted), _page, _skip))
    mo.vstack([_found, _table]) if _rows else _found
    return


@app.cell
def _(completion_view, get_chosen, hub, mo, run_of, shown, view):
    _label, _entry = get_chosen()
    mo.stop(view.value != "Completions" or _label != run_of.value)
    _run = hub.runs[_label]
    shown(completion_view.completion_view(_run.record(_entry), _run.weights()))
    return


@app.cell
def _(choice, mo, phase_of, view):
    mo.stop(view.value not in ("Groups", "Mistakes"))
    step_of = mo.ui.text(label="step", placeholder="the last", debounce=300)
    _steps = [step_of] if view.value == "Groups" else []
    mo.hstack([*choice, phase_of, *_steps], justify="start", gap=1, wrap=True)
    return (step_of,)


@app.cell
def _(completion_index, hub, mo, panels, phase_of, run_of, step_of, view):
    mo.stop(view.value != "Groups")
    _index = hub.runs[run_of.value].index
    _steps = _index.steps(phase_of.value)
    _first, _ = completion_index.steps_of(step_of.value)
    _step = _first if _first is not None else _steps[-1] if _steps else 0
    _found = _index.groups(phase_of.value, _step)
    _names = {f"{panels.brief(group, 24)} · {panels.brief(task, 32)}": group for group, task in _found.items()}
    group_of = mo.ui.dropdown(_names, value=next(iter(_names), None), label="prompt")
    group_of
    return (group_of,)


@app.cell
def _(completion_view, group_of, hub, phase_of, run_of, shown):
    _run = hub.runs[run_of.value]
    _found = _run.index.group(phase_of.value, group_of.value) if group_of.value else []
    shown(completion_view.group_view([_run.record(_entry) for _entry in _found]))
    return


@app.cell
def _(get_version, hub, mo, panels, phase_of, run_of, shown, view):
    mo.stop(view.value != "Mistakes")
    get_version()
    shown(panels.mistakes_view(hub.runs[run_of.value], phase_of.value))
    return


@app.cell
def _(choice, hub, mo, run_of, trying, view):
    mo.stop(view.value != "Try a prompt")
    _found = trying.checkpoints(hub.runs[run_of.value].path)
    checkpoint_of = mo.ui.dropdown(_found, value=next(iter(_found), None), label="checkpoint")
    prompt_of = mo.ui.text_area(label="prompt", rows=5, full_width=True)
    samples_of = mo.ui.slider(1, 8, value=1, label="completions", show_value=True)
    heat_of = mo.ui.slider(0.0, 2.0, step=0.1, value=1.0, label="temperature", show_value=True)
    ask_button = mo.ui.run_button(label="Load the model and ask")
    end_button = mo.ui.run_button(label="Unload the model")
    mo.vstack(
        [
            mo.hstack([*choice, checkpoint_of, samples_of, heat_of], justify="start", gap=2, wrap=True),
            prompt_of,
            mo.hstack([ask_button, end_button], justify="start"),
        ]
    )
    return ask_button, checkpoint_of, end_button, heat_of, prompt_of, samples_of


@app.cell
def _(
    BadInput,
    HostFailed,
    ask_button,
    checkpoint_of,
    completion_view,
    end_button,
    heat_of,
    hub,
    mo,
    panels,
    prompt_of,
    run_of,
    samples_of,
    shown,
    trying,
):
    _run, _asked = hub.runs[run_of.value], trying.the_model()
    if end_button.value:
        _asked.close()
    mo.stop(not ask_button.value, shown(panels.said(_asked.state())))
    try:
        with mo.status.spinner("Asking; a model that is not loaded yet takes a while"):
            _words = trying.words_of(_run.path, checkpoint_of.value)
            _records = _asked.ask(_words, prompt_of.value, samples=samples_of.value, temperature=heat_of.value)
        _answers = [completion_view.completion_view(_record, _run.weights()) for _record in _records]
    except (BadInput, HostFailed) as _error:
        _answers = [panels.said(str(_error), problem=True)]
    mo.vstack([shown(_answer) for _answer in _answers])
    return


if __name__ == "__main__":
    app.run()
