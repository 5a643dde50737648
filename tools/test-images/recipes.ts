import type { Recipe } from "./recipe.ts";

const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const folders = {
  dev: { mode: 0o755 },
  etc: { mode: 0o755 },
  home: { mode: 0o755 },
  mnt: { mode: 0o755 },
  opt: { mode: 0o755 },
  proc: { mode: 0o555 },
  root: { mode: 0o700 },
  run: { mode: 0o755 },
  srv: { mode: 0o755 },
  sys: { mode: 0o555 },
  tmp: { mode: 0o1777 },
  "usr/local/bin": { mode: 0o755 },
  "var/cache": { mode: 0o755 },
  "var/lib": { mode: 0o755 },
  "var/log": { mode: 0o755 },
  "var/tmp": { mode: 0o1777 },
};

/** `/etc/passwd` and `/etc/group` with the users of Alpine and those that an image adds. */
function users(added: Readonly<Record<string, { id: number; home: string; shell: string }>> = {}) {
  const extra = Object.entries(added);
  return {
    "etc/passwd": [
      "root:x:0:0:root:/root:/bin/sh",
      "daemon:x:2:2:daemon:/sbin:/sbin/nologin",
      ...extra.map(([name, { id, home, shell }]) => `${name}:x:${id}:${id}::${home}:${shell}`),
      "nobody:x:65534:65534:nobody:/:/sbin/nologin",
      "",
    ].join("\n"),
    "etc/group": [
      "root:x:0:root",
      "daemon:x:2:root,daemon",
      ...extra.map(([name, { id }]) => `${name}:x:${id}:`),
      "nogroup:x:65533:",
      "nobody:x:65534:",
      "",
    ].join("\n"),
  };
}

/** The bottom layer of all: busybox with its commands, as Alpine has them. */
export const alpine: Recipe = {
  names: ["library/alpine:latest", "library/alpine:3", "library/alpine:3.20"],
  packages: ["busybox-static"],
  folders,
  files: {
    ...users(),
    "etc/alpine-release": "3.20.3\n",
    "etc/os-release": 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME="Alpine Linux v3.20"\n',
    "etc/shells": "/bin/sh\n/bin/ash\n",
    "etc/profile": `export PATH='${path}'\n`,
    "etc/nsswitch.conf": "hosts: files dns\n",
    "etc/services": "http 80/tcp\nhttps 443/tcp\ndomain 53/udp\n",
  },
  links: { "var/run": "/run" },
  config: { Env: [`PATH=${path}`], Cmd: ["/bin/sh"], WorkingDir: "/" },
};

const busybox: Recipe = {
  names: ["library/busybox:latest", "library/busybox:1.36"],
  packages: [],
  config: { Env: [`PATH=${path}`], Cmd: ["sh"] },
};

const curl: Recipe = {
  names: ["alpine/curl:latest"],
  packages: ["curl", "ca-certificates"],
  config: { Env: [`PATH=${path}`], Entrypoint: ["/entrypoint.sh"], WorkingDir: "/" },
  files: { "entrypoint.sh": '#!/bin/sh\nset -e\nexec curl "$@"\n' },
};

const node: Recipe = {
  names: ["library/node:18-alpine", "library/node:18"],
  packages: ["nodejs", "ca-certificates"],
  folders: { "home/node": { mode: 0o755, owner: 1000 } },
  files: {
    ...users({ node: { id: 1000, home: "/home/node", shell: "/bin/sh" } }),
    // Arguments that are options, or no command of the system, are meant for node.
    "usr/local/bin/docker-entrypoint.sh": [
      "#!/bin/sh",
      "set -e",
      'case "$1" in -*) set -- node "$@" ;; esac',
      'command -v "$1" >/dev/null || set -- node "$@"',
      'exec "$@"',
      "",
    ].join("\n"),
  },
  links: { "usr/local/bin/node": "/usr/bin/node" },
  config: {
    Env: [`PATH=${path}`, "NODE_VERSION=18.20.4", "YARN_VERSION=1.22.19"],
    Entrypoint: ["docker-entrypoint.sh"],
    Cmd: ["node"],
  },
};

const python: Recipe = {
  names: [
    "library/python:3-slim",
    "library/python:3",
    "library/python:3-alpine",
    "library/python:3.11-slim",
    "library/python:3.11",
    "library/python:latest",
  ],
  packages: ["python3", "ca-certificates"],
  links: { "usr/local/bin/python3": "/usr/bin/python3", "usr/local/bin/python": "/usr/bin/python3" },
  config: {
    Env: [`PATH=/usr/local/bin:${path}`, "LANG=C.UTF-8", "PYTHON_VERSION=3.11.2"],
    Cmd: ["python3"],
  },
};

const nginx: Recipe = {
  names: ["library/nginx:latest", "library/nginx:alpine", "library/nginx:stable"],
  packages: ["nginx"],
  folders: {
    "docker-entrypoint.d": { mode: 0o755 },
    "etc/nginx/conf.d": { mode: 0o755 },
    "usr/share/nginx/html": { mode: 0o755 },
    "var/cache/nginx": { mode: 0o755 },
    "var/lib/nginx": { mode: 0o755 },
    "var/log/nginx": { mode: 0o755 },
  },
  files: {
    ...users({ nginx: { id: 101, home: "/nonexistent", shell: "/bin/false" } }),
    "docker-entrypoint.sh": [
      "#!/bin/sh",
      "set -e",
      'for script in /docker-entrypoint.d/*.sh; do [ -x "$script" ] && "$script"; done',
      'exec "$@"',
      "",
    ].join("\n"),
    "etc/nginx/nginx.conf": [
      "user nginx;",
      "worker_processes auto;",
      "error_log /var/log/nginx/error.log notice;",
      "pid /run/nginx.pid;",
      "events { worker_connections 1024; }",
      "http {",
      "  include /etc/nginx/mime.types;",
      "  default_type application/octet-stream;",
      "  access_log /var/log/nginx/access.log;",
      "  sendfile on;",
      "  keepalive_timeout 65;",
      "  include /etc/nginx/conf.d/*.conf;",
      "}",
      "",
    ].join("\n"),
    "etc/nginx/conf.d/default.conf": [
      "server {",
      "  listen 80;",
      "  server_name localhost;",
      "  location / { root /usr/share/nginx/html; index index.html index.htm; }",
      "}",
      "",
    ].join("\n"),
    "usr/share/nginx/html/index.html":
      "<!DOCTYPE html>\n<html><head><title>Welcome to nginx!</title></head><body><h1>Welcome to nginx!</h1></body></html>\n",
  },
  links: { "var/log/nginx/access.log": "/dev/stdout", "var/log/nginx/error.log": "/dev/stderr" },
  config: {
    Env: [`PATH=${path}`, "NGINX_VERSION=1.22.1"],
    Entrypoint: ["/docker-entrypoint.sh"],
    Cmd: ["nginx", "-g", "daemon off;"],
    ExposedPorts: { "80/tcp": {} },
    StopSignal: "SIGQUIT",
  },
};

const redis: Recipe = {
  names: ["library/redis:latest", "library/redis:7", "library/redis:7-alpine", "library/redis:alpine"],
  packages: ["redis-server"],
  folders: { data: { mode: 0o755, owner: 999 } },
  files: {
    ...users({ redis: { id: 999, home: "/home/redis", shell: "/bin/false" } }),
    // Debian's redis refuses clients from other machines by default; the image's own build does not.
    "usr/local/bin/docker-entrypoint.sh": [
      "#!/bin/sh",
      "set -e",
      'case "$1" in -* | *.conf) set -- redis-server "$@" ;; esac',
      'if [ "$1" = redis-server ]; then shift; set -- redis-server "$@" --protected-mode no; fi',
      'exec "$@"',
      "",
    ].join("\n"),
  },
  config: {
    Env: [`PATH=${path}`, "REDIS_VERSION=7.0.15"],
    Entrypoint: ["docker-entrypoint.sh"],
    Cmd: ["redis-server"],
    ExposedPorts: { "6379/tcp": {} },
    Volumes: { "/data": {} },
    WorkingDir: "/data",
  },
};

/** Every image stands on {@link alpine}'s layer and adds one of its own. */
export const recipes: readonly Recipe[] = [alpine, busybox, curl, node, python, nginx, redis];
