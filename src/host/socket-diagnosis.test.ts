import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type SocketDiagnosis, socketDiagnosis } from "./socket-diagnosis.ts";

// Asks this machine's kernel of sockets that the test itself opens.
let diagnosis: SocketDiagnosis;
const undo: (() => unknown)[] = [];

beforeEach(async () => {
  const open = await socketDiagnosis();
  if (open === undefined) throw new Error("no system calls");
  diagnosis = open();
  undo.push(() => diagnosis.close());
});

afterEach(async () => {
  for (const action of undo.splice(0).reverse()) await action();
});

async function listening(
  where: { host: string; port: number } | { path: string },
): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.resume().end("pong"));
  await new Promise<void>((resolve) => server.listen({ ...where, backlog: 7 }, resolve));
  undo.push(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  return { server, port: typeof address === "object" ? (address?.port ?? 0) : 0 };
}

/** Connects, sends `ping` and waits for the whole answer; both ends are still open for writing here. */
async function connected(where: { host: string; port: number } | { path: string }): Promise<Socket> {
  const client = connect({ ...where, allowHalfOpen: true } as never);
  undo.push(() => client.destroy());
  client.write("ping!");
  await new Promise((resolve) => client.resume().once("end", resolve));
  return client;
}

test.each(["127.0.0.1", "::1"])("payload and backlog of TCP sockets of %s", async (host) => {
  const { port } = await listening({ host, port: 0 });
  const client = await connected({ host, port });
  const rows = diagnosis
    .tcpCounters()
    .filter(({ local, remote }) => [local.port, remote.port].includes(port));
  expect(rows).toContainEqual(
    expect.objectContaining({
      listening: true,
      local: { address: host, port },
      receiveQueue: 0,
      sendQueue: 7,
    }),
  );
  const own = rows.find(({ local }) => local.port === client.localPort);
  expect(own).toMatchObject({ local: { address: host }, remote: { address: host, port } });
  // What was acknowledged counts the SYN, what was received the peer's FIN.
  expect(own?.bytesAcked).toBe(5 + 1);
  expect(own?.bytesReceived).toBe(4 + 1);
});

test("Unix sockets: name, file, peer, and who waits to be accepted", async () => {
  const folder = mkdtempSync(join(tmpdir(), "peapod-diagnosis-"));
  undo.push(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "a name.sock");
  const abstract = `\0peapod ${process.pid}\0x`;
  await listening({ path });
  await listening({ path: abstract });
  await connected({ path });
  const sockets = diagnosis.unixSockets();
  const { dev, ino } = statSync(path);
  const named = sockets.filter(({ name }) => name === path);
  const listener = named.find((socket) => socket.listening);
  expect(listener).toMatchObject({ type: "stream", file: `${dev}:${ino}`, pending: [], sendQueue: 7 });
  const server = named.find((socket) => !socket.listening);
  const client = sockets.find(({ inode }) => inode === server?.peerInode);
  expect(client).toMatchObject({ name: undefined, file: undefined, peerInode: server?.inode });
  expect(sockets).toContainEqual(
    expect.objectContaining({ name: `@peapod ${process.pid}@x`, file: undefined, listening: true }),
  );
});
