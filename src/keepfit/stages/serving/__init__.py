"""The champion behind HTTP: recent events in, features by the same kernel, one score out.

    publish.py   fills the online store from the lake (runs in the loop, not in the server)
    store.py     what the server knows of each entity; sqlite.py keeps it, packing.py writes it as the kernel reads it
    online.py    one entity's features at t, equal to the batch's bit for bit
    scorer.py    the champion, loaded whole and swapped whole
    outbox.py    the prediction log, until the loop moves it to the lake

A request, from the outside in:

    connection.py, guard.py        how long it may take; whether it is let in (protection, tokens, rates, admission)
    application.py                 which route; the hot ones without a framework
    predict.py, many.py, rows.py, events.py, status.py   the routes
    requested.py, unknown.py       what it asks, and whether that can be answered
    group.py, answering.py, told.py   the model, the log and the words, for all that have arrived together
    metrics.py, laps.py, logs.py, tracing.py   what is seen of it

Nothing is imported here, so that the loop can publish without loading a web framework. The server's modules load no
MLflow, DuckDB, Delta or pandas; a test holds that.
"""
