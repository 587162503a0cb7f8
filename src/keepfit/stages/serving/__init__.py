"""The champion behind HTTP: recent events in, features by the same kernel, one score out.

    publish.py   fills the online store from the lake (runs in the loop, not in the server)
    store.py     what the server knows of each entity: SQLite
    online.py    one entity's features at t, equal to the batch's bit for bit
    scorer.py    the champion, loaded whole and swapped whole
    outbox.py    the prediction log, until the loop moves it to the lake
    predict.py, events.py, status.py   the routes; openapi.py describes them
    app.py, server.py   the application and the process

Nothing is imported here, so that the loop can publish without loading a web framework. The server's modules load no
MLflow, DuckDB, Delta or pandas; a test holds that.
"""
