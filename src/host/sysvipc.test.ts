import { expect, test } from "vitest";
import { parseMessageQueues, parseSemaphores, parseSharedMemory } from "./sysvipc.ts";

test("the tables of /proc/sysvipc", () => {
  const shm = `       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime                   rss                  swap
      4660          0   666                 65536  101   102      2     0     0     0     0 1795436764          0 1795436764                  4096                     0
`;
  expect(parseSharedMemory(shm)).toEqual([
    { key: 0x1234, id: 0, size: 65_536, creator: 101, lastOperator: 102, attached: 2 },
  ]);
  const sem = `       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime
-113689719          0   644          2     0     0     0     0          0 1795436764
`;
  expect(parseSemaphores(sem)).toEqual([{ key: -113_689_719, id: 0, count: 2, operatedAt: 0 }]);
  const msg = `       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      ctime
      4099          3   666         200          2   101   102     0     0     0     0 1795436764 1795436763 1795436700
`;
  expect(parseMessageQueues(msg)).toMatchObject([
    { id: 3, bytes: 200, messages: 2, lastSender: 101, lastReceiver: 102 },
  ]);
});
