"""The example for Kubernetes: every manifest is in form, and the gateway takes what they hand to it."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from undersign.cli.gateway import gateway as command

from .processes import ROOT

yaml: Any = pytest.importorskip("yaml")
kubernetes_validate: Any = pytest.importorskip("kubernetes_validate")
MANIFESTS = list(yaml.safe_load_all((ROOT / "docs/examples/gateway/kubernetes.yaml").read_text(encoding="utf-8")))


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda found: f"{found['kind']}-{found['metadata']['name']}")
def test_a_manifest_fits_its_schema(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def of(kind: str) -> Any:
    return next(manifest for manifest in MANIFESTS if manifest["kind"] == kind)


def test_the_gateway_takes_its_file_and_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = of("ConfigMap")["data"]["gateway.toml"].replace("/etc/undersign/keys", str(tmp_path))
    (tmp_path / "gateway.toml").write_text(text, encoding="utf-8")
    (tmp_path / "keys.toml").write_text(of("Secret")["stringData"]["keys.toml"], encoding="utf-8")
    monkeypatch.setenv("UNDERSIGN_REPLAY", of("Secret")["stringData"]["replay"])
    taken: list[Any] = []
    process = importlib.import_module("undersign.gateway.process")
    monkeypatch.setattr(process, "run", lambda settings, ready: taken.append(settings))
    assert CliRunner().invoke(command, ["--settings", str(tmp_path / "gateway.toml")]).exit_code == 0
    [settings] = taken
    assert (settings.listen, settings.admin, settings.upstream) == ("0.0.0.0:8080", "0.0.0.0:9901", "http://app:9000")
    assert settings.replay.startswith("redis://")
    container = of("Deployment")["spec"]["template"]["spec"]["containers"][0]
    ports = {port["containerPort"] for port in container["ports"]}
    assert ports == {int(address.rpartition(":")[2]) for address in (settings.listen, settings.admin)}
    patience = of("Deployment")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert patience > settings.drain + settings.grace
