import { resolvePath } from "../mounted-path.ts";
import { namedPaths } from "../named-paths.ts";
import { pairs, pathIn } from "../pod-view.ts";
import type { ManifestRule } from "../rule.ts";
import { findText } from "../texts.ts";
import { userOf } from "../user.ts";

export const socketOwner: ManifestRule = {
  id: "socket-owner",
  severity: "warning",
  title: "Two users share a Unix socket that only its owner may connect to",
  reality:
    "To connect to a Unix socket a process needs **write** permission on its file. With the usual umask of 022 the " +
    "file is made `rwxr-xr-x`: only its owner (and root) may connect, anybody else gets `Permission denied` " +
    "(EACCES). `fsGroup` alone doesn't help, because the group has no write permission either.",
  fix:
    "Run both containers as the same user. Or set `fsGroup` and have the server make the socket group-writable: by " +
    "its own setting for the socket's mode (0660), or `umask 007` before it starts.",
  scope:
    "Two containers name the same socket file (`….sock`, `….socket`) on a volume that both mount, run by `runAsUser` as different users " +
    "neither of whom is root, and neither mentions `umask`, `chmod` or a mode of the socket.",
  upstream: "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
  check({ spec, running }) {
    return pairs(running).flatMap(([first, second]) => {
      const users = [userOf(first, spec), userOf(second, spec)];
      if (users.some((user) => user === undefined || user === 0) || users[0] === users[1]) return [];
      const care = /\bumask\b|\bchmod\b|\bchown\b|mode\b|perm/i;
      if ([first, second].some((view) => findText(view, care) !== undefined)) return [];
      const theirs = new Map(
        namedPaths(first).map((named) => [resolvePath(first, named.path, spec).key, named]),
      );
      return namedPaths(second).flatMap(({ path, field, kind }) => {
        const place = resolvePath(second, path, spec);
        const other = theirs.get(place.key);
        if (kind !== "socket" || place.volume === undefined || other === undefined) return [];
        return [
          {
            field,
            message:
              `containers "${first.name}" (user ${users[0]}) and "${second.name}" (user ${users[1]}) share the socket ` +
              `${path}; whoever makes it, the other one may not connect`,
            related: [other.field, pathIn(first, "securityContext"), pathIn(second, "securityContext")],
          },
        ];
      });
    });
  },
};
