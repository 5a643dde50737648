import { duplexPair } from "node:stream";
import { text } from "node:stream/consumers";
import { constants, createDeflate } from "node:zlib";
import { describe, expect, test } from "vitest";
import { SpdyConnection } from "./connection.ts";
import { dictionary } from "./dictionary.ts";
import { encodeFrame, type Frame, FrameReader } from "./frames.ts";
import { HeaderReader, HeaderWriter } from "./header-block.ts";

describe("header blocks", () => {
  test("what is written is read, block after block", async () => {
    const [writer, reader] = [new HeaderWriter(), new HeaderReader()];
    for (const headers of [{ StreamType: "error", port: "80" }, {}, { streamtype: "data" }]) {
      const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
      expect({ ...(await reader.read(writer.write(headers))) }).toEqual(Object.fromEntries(lower));
    }
    reader.close();
  });

  test("blocks that zlib compressed, with the dictionary and a sync flush after each", async () => {
    const deflate = createDeflate({ dictionary, flush: constants.Z_SYNC_FLUSH });
    const reader = new HeaderReader();
    const pair = Buffer.from("\0\0\0\x01\0\0\0\x04port\0\0\0\x0280", "latin1");
    for (let round = 0; round < 3; round += 1) {
      await new Promise<void>((resolve) => deflate.write(pair, () => resolve()));
      expect({ ...(await reader.read(deflate.read())) }).toEqual({ port: "80" });
    }
    await expect(reader.read(Buffer.from("nonsense"))).rejects.toThrow();
    await expect(reader.read(Buffer.alloc(8))).rejects.toThrow();
  });
});

test("frames come out as they went in, however the bytes are cut", () => {
  const frames: Frame[] = [
    { type: "synStream", id: 1, isFinal: false, block: Buffer.from("block") },
    { type: "data", id: 1, isFinal: false, data: Buffer.from("some data") },
    { type: "ping", id: 7 },
    { type: "data", id: 1, isFinal: true, data: Buffer.alloc(0) },
    { type: "rstStream", id: 3, status: 5 },
    { type: "goAway" },
  ];
  const bytes = Buffer.concat(frames.map(encodeFrame));
  expect([...new FrameReader().push(bytes)]).toEqual(frames);
  const reader = new FrameReader();
  const single = [...bytes].flatMap((byte) => [...reader.push(Buffer.from([byte]))]);
  const dataOf = (list: Frame[]) =>
    Buffer.concat(list.map((frame) => (frame.type === "data" ? frame.data : Buffer.alloc(0))));
  expect(dataOf(single).toString()).toBe("some data");
  expect(single.filter(({ type }) => type !== "data")).toEqual(frames.filter(({ type }) => type !== "data"));
  expect(() => [
    ...new FrameReader().push(Buffer.from("GET / HTTP/1.1\r\n\x80\x09\0\0\0\0\0\0").subarray(16)),
  ]).toThrow();
});

describe("a connection", () => {
  test("streams end one side at a time; a large one arrives whole beside others", async () => {
    const [one, other] = duplexPair();
    const server = new SpdyConnection(one, "server", (stream) => stream.pipe(stream));
    const client = new SpdyConnection(other, "client", () => {});
    const large = "x".repeat(5_000_000);
    const answers = ["a", large, "c"].map((sent) => {
      const stream = client.open({ streamtype: "data" });
      stream.end(sent);
      return text(stream);
    });
    expect(await Promise.all(answers)).toEqual(["a", large, "c"]);
    client.close();
    await Promise.all([client.closed, server.closed]);
  });

  test("a destroyed stream is destroyed on the other side, and the connection goes on", async () => {
    const [one, other] = duplexPair();
    const closed = Promise.withResolvers<void>();
    new SpdyConnection(one, "server", (stream) => {
      if (stream.headers.streamtype === "echo") stream.pipe(stream);
      else stream.once("close", closed.resolve);
    });
    const client = new SpdyConnection(other, "client", () => {});
    client.open({ streamtype: "lost" }).destroy();
    await closed.promise;
    const echo = client.open({ streamtype: "echo" });
    echo.end("still here");
    expect(await text(echo)).toBe("still here");
    client.close();
  });
});
