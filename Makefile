# `make demo` runs the main job, `make test` passes the tests. Everything else is a part of these two.
SHELL := /bin/bash
export UV_PROJECT_ENVIRONMENT ?= .venv
# container images often forbid it, and every process would then compile its libraries anew, for seconds
unexport PYTHONDONTWRITEBYTECODE
# its own uv if there is none on this machine
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN := $(UV) run --frozen --quiet

.PHONY: demo test train-dev mlflow lint format bench clean install

demo: install
	@rm -rf demo-shop
	@$(RUN) keepfit init demo-shop --template shop --as-of 2026-01-01
	@$(RUN) keepfit replay --project demo-shop --to 2026-01-01

test: install
	$(RUN) pytest -n 2 --dist loadfile --no-loadscope-reorder

PROJECT ?= demo-shop
PORT ?= 5000

# a small model of scikit-learn on the demo project, to see what a change of the definition does
train-dev: install
	@[ -d $(PROJECT) ] || $(RUN) keepfit init $(PROJECT) --template shop --as-of 2026-01-01
	@$(RUN) keepfit train --dev --project $(PROJECT) --as-of 2026-01-01

# MLflow's own pages, of production if there is any, else of the newest replay; in an environment of their own, for they bring pandas
mlflow: $(UV)
	@db=$$(ls -t $(PROJECT)/.keepfit/*/mlflow.db 2>/dev/null | head -1); \
	[ -n "$$db" ] || db=$$(ls -t $(PROJECT)/.keepfit/*/replays/*/mlflow.db 2>/dev/null | head -1); \
	[ -n "$$db" ] || { echo "nothing has been trained in $(PROJECT) yet: make demo, or keepfit train --project $(PROJECT)" >&2; exit 1; }; \
	echo "$$db on http://127.0.0.1:$(PORT) (ctrl-c ends it)"; \
	UV_PROJECT_ENVIRONMENT=.venv-ui MLFLOW_DISABLE_TELEMETRY=true MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false \
	$(UV) run --frozen --quiet --no-dev --extra ui mlflow ui --backend-store-uri "sqlite:///$$(realpath "$$db")" --host 127.0.0.1 --port $(PORT) --workers 1

lint: install
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy -n 2
	$(RUN) lint-imports

format: install
	$(RUN) ruff format .
	$(RUN) ruff check --fix .

bench: install
	$(RUN) python bench/startup.py
	$(RUN) python bench/demo.py
	$(RUN) python bench/windows.py
	$(RUN) python bench/windows.py --latency
	$(RUN) python bench/exactness.py
	$(RUN) python bench/hourly.py
	$(RUN) python bench/stream.py
	$(RUN) python bench/ingest.py
	$(RUN) python bench/serving.py
	$(RUN) python bench/batch.py

install: $(UV)
	@$(UV) sync --frozen --quiet

.uv/bin/uv:
	@python3 -m venv .uv && .uv/bin/pip install --quiet --disable-pip-version-check uv

clean:
	rm -rf demo-shop .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
