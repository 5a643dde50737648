import { expect, test } from "vitest";
import { parseSharedMappings, parseWaitingCall, parseWatches } from "./proc.ts";

test("parseSharedMappings keeps shared mappings, with the device as stat(2) numbers it", () => {
  const text = `7f0000000000-7f0000001000 rw-s 00000000 00:01 9                          /SYSV000004d2
7f0000002000-7f0000003000 rw-p 00000000 00:00 0
7f0000003000-7f0000004000 r--s 00000000 fe:00 2220853                    /data/app log
7f0000004000-7f0000005000 rw-s 00000000 00:01 9                          /memfd:x (deleted)
7f0000005000-7f0000006000 r-xp 00000000 fe:00 11                         /lib/libc.so
`;
  expect(parseSharedMappings(text)).toMatchObject([
    { path: "/SYSV000004d2", inode: "9", identity: "1:9", writable: true },
    { path: "/data/app log", identity: "65024:2220853", writable: false },
    { path: "/memfd:x (deleted)", writable: true },
  ]);
});

test("parseWatches gives what inotify watches as stat(2) numbers it", () => {
  const text = `pos:	0
flags:	00
inotify wd:2 ino:21e335 sdev:fe00000 mask:100 ignored_mask:0 fhandle-bytes:8
inotify wd:1 ino:3 sdev:1b mask:188 ignored_mask:0
`;
  expect(parseWatches(text)).toEqual(["65024:2220853", "27:3"]);
});

test.each([
  ["running\n", []],
  ["-1 0x7ffd 0x7f0\n", []],
  ["", []],
  [
    "257 0xffffff9c 0x55 0x1 0x0 0x0 0x0 0x7ffd 0x7f0\n",
    [{ number: 257, args: [0xffffff9cn, 0x55n, 1n, 0n, 0n, 0n] }],
  ],
])("parseWaitingCall %j", (text, expected) => {
  expect(parseWaitingCall(text)).toEqual(expected);
});
