"""What a package's metadata says of the project's public address, which stands in pyproject.toml."""

from __future__ import annotations

from typing import Any

from hatch_fancy_pypi_readme import hooks
from hatchling.metadata.plugin.interface import MetadataHookInterface


class PublicAddress(MetadataHookInterface):
    """Gives the package its URLs, and its README links that work on PyPI."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        """Add them."""
        address = self.config["address"]
        files = f"{address}/blob/v{metadata['version']}"
        metadata["urls"] = {
            "Documentation": f"{files}/docs/index.md",
            "Source": address,
            "Issues": f"{address}/issues",
            "Changelog": f"{files}/CHANGELOG.md",
        }
        readme = {
            "content-type": "text/markdown",
            "fragments": [{"path": "README.md"}],
            "substitutions": [{"pattern": r"\]\((?!https?:|#)", "replacement": f"]({files}/"}],
        }
        hooks.FancyReadmeMetadataHook(self.root, readme).update(metadata)
