import { quietScope } from "../../src/base/scope.ts";
import { holdCgroups } from "../../src/host/cgroup-controllers.ts";
import { isMounted } from "../../src/host/mounts.ts";

// A process of test/node/cgroup-controllers.test.ts: holds net_cls until its standard input ends.
const cgroups = await holdCgroups(quietScope(), () =>
  isMounted("/sys/fs/cgroup/net_cls") ? [] : ["net_cls"],
);
process.stdout.write("held\n");
process.stdin.resume().once("end", () => void cgroups.release(quietScope()));
