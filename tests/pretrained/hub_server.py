"""A local hub: the endpoints that pushing and pulling use, over HTTP, with repositories as folders."""

import base64
import hashlib
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SHA = "a" * 40


class Hub(BaseHTTPRequestHandler):
    root: Path

    def answer(self, status: int, body: object = None, headers: dict[str, str] | None = None) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        self.send_response(status)
        headers = {"Content-Length": str(len(content)), "Content-Type": "application/json"} | (headers or {})
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Authorization") != "Bearer hf_right":
            return self.answer(401, {"error": "Invalid username or password."})
        parts = self.path.strip("/").split("?")[0].split("/")
        if parts[:3] == ["api", "repos", "create"]:
            wanted = json.loads(raw)
            owner, name = wanted.get("organization") or "me", wanted["name"].rpartition("/")[2]
            (self.root / owner / name).mkdir(parents=True, exist_ok=True)
            return self.answer(200, {"url": f"http://{self.headers['Host']}/{owner}/{name}"})
        if parts[:2] == ["api", "validate-yaml"]:
            return self.answer(200, {"errors": [], "warnings": []})
        repo = self.root / parts[2] / parts[3]
        if parts[4] == "preupload":
            files = [
                {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in json.loads(raw)["files"]
            ]
            return self.answer(200, {"files": files})
        for line in filter(None, raw.splitlines()):
            value = json.loads(line)["value"]
            if "content" in value:
                (repo / value["path"]).write_bytes(base64.b64decode(value["content"]))
        url = f"http://{self.headers['Host']}/{parts[2]}/{parts[3]}/commit/{SHA}"
        return self.answer(200, {"commitUrl": url, "commitOid": SHA, "success": True})

    def do_GET(self) -> None:
        parts = self.path.strip("/").split("?")[0].split("/")
        api = parts[:2] == ["api", "models"]
        repo = self.root / "/".join(parts[2:4] if api else parts[:2])
        if not repo.is_dir():
            return self.answer(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
        if api and "revision" in parts and parts[-1] not in (SHA, "main"):
            return self.answer(404, {"error": "Revision not found"}, {"X-Error-Code": "RevisionNotFound"})
        if api and "tree" in parts:
            tree = [{"type": "file", "path": p.name, "size": p.stat().st_size, "oid": SHA} for p in repo.iterdir()]
            return self.answer(200, tree)
        if api:
            files = [{"rfilename": p.name, "size": p.stat().st_size, "blobId": SHA} for p in repo.iterdir()]
            return self.answer(200, {"id": "/".join(parts[2:4]), "sha": SHA, "siblings": files})
        if not (repo / parts[-1]).is_file():
            return self.answer(404, {"error": "Entry not found"}, {"X-Error-Code": "EntryNotFound"})
        content = (repo / parts[-1]).read_bytes()
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        kind = {"ETag": etag, "X-Repo-Commit": SHA, "Content-Type": "application/octet-stream"}
        return self.answer(200, content, kind)

    do_HEAD = do_GET


if __name__ == "__main__":
    Hub.root = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    print(server.server_port, flush=True)
    server.serve_forever()
