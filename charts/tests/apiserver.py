"""A Kubernetes API server with its etcd and without controllers: it admits, or refuses in words, and runs nothing."""

import json
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import yaml

TOKEN = "only-for-this-test"


class Refused(Exception):
    """What the API server did not take, in its own words."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ApiServer:
    def __init__(self, binary: str, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        etcd, peer, self.port = free_port(), free_port(), free_port()
        self.etcd = self._start("etcd", [
            "etcd", f"--data-dir={folder}/etcd", "--unsafe-no-fsync",
            f"--listen-client-urls=http://127.0.0.1:{etcd}", f"--advertise-client-urls=http://127.0.0.1:{etcd}",
            f"--listen-peer-urls=http://127.0.0.1:{peer}", f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-cluster=default=http://127.0.0.1:{peer}",
        ])  # fmt: skip
        subprocess.run(["openssl", "genrsa", "-out", folder / "accounts.key", "2048"], check=True, capture_output=True)
        (folder / "tokens").write_text(f'{TOKEN},tester,1,"system:masters"\n')
        self.server = self._start("kube-apiserver", [
            binary, f"--etcd-servers=http://127.0.0.1:{etcd}", "--bind-address=127.0.0.1", f"--secure-port={self.port}",
            f"--cert-dir={folder}/certificates", "--service-cluster-ip-range=10.0.0.0/16", "--authorization-mode=RBAC",
            f"--token-auth-file={folder}/tokens", "--service-account-issuer=https://kubernetes.default.svc",
            # Debian's etcd may be older than what the watch cache asks of it, and nobody watches here.
            "--watch-cache=false",
            f"--service-account-key-file={folder}/accounts.key", f"--service-account-signing-key-file={folder}/accounts.key",
        ])  # fmt: skip
        # It signs its own certificate, and this is loopback.
        self.tls = ssl.create_default_context()
        self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE
        self.paths = {}
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def _start(self, name, command):
        log = open(self.folder / f"{name}.log", "wb")
        # It ends with us, however we end.
        return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], stdout=log, stderr=log)

    def _wait(self):
        for _ in range(600):
            for name, process in (("etcd", self.etcd), ("kube-apiserver", self.server)):
                if process.poll() is not None:
                    raise RuntimeError(f"{name} ended:\n{(self.folder / f'{name}.log').read_text()[-3000:]}")
            try:
                self.call("GET", "/readyz")
                return
            except (OSError, Refused):
                time.sleep(0.1)
        raise RuntimeError("the API server was not ready within a minute")

    def stop(self):
        # The server first: without its etcd it would take a minute to end.
        for process in (self.server, self.etcd):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()

    def call(self, method, path, body=None, kind="application/json"):
        request = urllib.request.Request(
            f"https://127.0.0.1:{self.port}{path}",
            method=method,
            data=None if body is None else body.encode(),
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": kind},
        )
        try:
            with urllib.request.urlopen(request, context=self.tls, timeout=60) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            text = error.read().decode()
            try:
                text = json.loads(text)["message"]
            except (ValueError, KeyError):
                pass
            raise Refused(text) from None
        return json.loads(text) if text.startswith("{") else text

    def _path(self, manifest, namespace):
        version, kind = manifest["apiVersion"], manifest["kind"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if (version, kind) not in self.paths:
            for resource in self.call("GET", root)["resources"]:
                if "/" not in resource["name"]:
                    self.paths[version, resource["kind"]] = resource["name"], resource["namespaced"]
        if (version, kind) not in self.paths:
            raise Refused(f"no kind {kind} in {version}")
        plural, namespaced = self.paths[version, kind]
        return f"{root}/namespaces/{namespace}/{plural}" if namespaced else f"{root}/{plural}"

    def apply(self, manifest, namespace="default"):
        """Server-side apply, as `kubectl apply --server-side --validate=strict` does it."""
        return self._apply(f"{self._path(manifest, namespace)}/{manifest['metadata']['name']}", yaml.safe_dump(manifest))

    def _apply(self, path, text):
        return self.call("PATCH", f"{path}?fieldManager=test&force=true&fieldValidation=Strict", text, "application/apply-patch+yaml")

    def create(self, manifest, namespace="default"):
        return self.call("POST", f"{self._path(manifest, namespace)}?fieldValidation=Strict", json.dumps(manifest))

    def define(self, definitions):
        """Makes custom resources known, each a (name, text), and waits until they are."""
        root = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        for name, text in definitions:
            self._apply(f"{root}/{name}", text)
        for name, _ in definitions:
            for _ in range(300):
                status = self.call("GET", f"{root}/{name}").get("status", {})
                if any(c["type"] == "Established" and c["status"] == "True" for c in status.get("conditions") or []):
                    break
                time.sleep(0.05)
            else:
                raise Refused(f"{name} was not established: {status}")
