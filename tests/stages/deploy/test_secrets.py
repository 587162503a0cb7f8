"""The first step of the written README, as the users of the containers meet its outcome."""

from __future__ import annotations

from importlib import resources

from .world import secrets


def test_containers_can_read_the_secrets_and_enter_their_folder(tmp_path):
    readme = resources.files("keepfit.stages.deploy.compose") / "files" / "README.md"
    (tmp_path / "README.md").write_text(readme.read_text(encoding="utf-8"), encoding="utf-8")
    secrets(tmp_path)
    found = {path.relative_to(tmp_path).as_posix(): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert found["secrets"] == 0o700 and found["secrets/alertmanager"] == 0o755
    assert found["secrets/tokens"] == found["secrets/grafana_password"] == 0o644
