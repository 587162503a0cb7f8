"""Which version is the champion and which the challenger, in MLflow; and its older words for them, as tags.

Nothing of keepfit reads the older words: `stage` is production, staging or archived, for whoever still asks for them.
"""

from __future__ import annotations

from typing import Any

CHAMPION, CHALLENGER = "champion", "challenger"
STAGE, STAGES = "stage", {CHAMPION: "production", CHALLENGER: "staging"}
RETIRED = "keepfit.retired"
"""The tag of a version that was archived or rejected."""


class Aliases:
    """The aliases of the models of a registry.

    Parameters
    ----------
    client : MlflowClient
        Of the registry.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def of(self, model: str) -> dict[str, str]:
        """Return alias -> version; nothing if there is no such model yet."""
        from mlflow.exceptions import MlflowException

        try:
            found = self._client.get_registered_model(model).aliases
        except MlflowException:
            return {}
        return {alias: str(number) for alias, number in found.items()}

    def challenge(self, model: str, number: str) -> None:
        """Make a version the challenger."""
        self._client.set_registered_model_alias(model, CHALLENGER, number)
        self._restage(model)

    def crown(self, model: str, number: str) -> None:
        """Make a version the champion; that ends every challenge, for it was one of the champion before."""
        self._client.set_registered_model_alias(model, CHAMPION, number)
        self._end_challenge(model)
        self._restage(model)

    def retire(self, model: str, number: str, why: str) -> None:
        """Mark a version as archived or rejected."""
        self._client.set_model_version_tag(model, number, RETIRED, why)
        if self.of(model).get(CHALLENGER) == number:
            self._end_challenge(model)
        self._restage(model)

    def restore(self, model: str, number: str) -> None:
        """Take the mark of a version back."""
        self._client.delete_model_version_tag(model, number, RETIRED)
        self._restage(model)

    def _end_challenge(self, model: str) -> None:
        if CHALLENGER in self.of(model):
            self._client.delete_registered_model_alias(model, CHALLENGER)

    def _restage(self, model: str) -> None:
        """Bring the older words to the aliases."""
        words = {number: STAGES[alias] for alias, number in self.of(model).items() if alias in STAGES}
        for item in self._client.search_model_versions(f"name = '{model}'"):
            word = words.get(str(item.version)) or ("archived" if RETIRED in item.tags else None)
            if word is not None and item.tags.get(STAGE) != word:
                self._client.set_model_version_tag(model, item.version, STAGE, word)
            elif word is None and STAGE in item.tags:
                self._client.delete_model_version_tag(model, item.version, STAGE)
