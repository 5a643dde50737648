import { type ClientHttp2Session, connect, constants } from "node:http2";

/**
 * One call of `grpc.health.v1.Health/Check` (https://github.com/grpc/grpc/blob/master/doc/health-checking.md) over
 * plain HTTP/2. Both messages have one field, so they are written and read here; a gRPC library would add ten
 * packages and a tenth of a second to the daemon's start.
 */
export interface HealthAnswer {
  /** gRPC's status code: 0 OK, 12 UNIMPLEMENTED … */
  readonly code: number;
  readonly message: string;
  /** The service's health when the call was OK. */
  readonly serving: "UNKNOWN" | "SERVING" | "NOT_SERVING" | "SERVICE_UNKNOWN";
}

const unknownCode = 2;
const deadlineExceededCode = 4;
const servingNames = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"] as const;

/**
 * Asks for the health of `service` (empty: of the whole server). When the signal aborts the answer is
 * DEADLINE_EXCEEDED if there is a connection. Rejects with the network's error, or with the signal's reason when
 * there was no connection until then.
 */
export async function checkHealth(
  authority: string,
  service: string,
  userAgent: string,
  signal: AbortSignal,
): Promise<HealthAnswer> {
  const session = connect(`http://${authority}`);
  let isConnected = false;
  session.once("connect", () => {
    isConnected = true;
  });
  const onAbort = () => session.destroy();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await call(session, service, userAgent);
  } catch (error) {
    if (!signal.aborted) throw error;
    if (!isConnected) throw signal.reason;
    return { code: deadlineExceededCode, message: "context deadline exceeded", serving: "UNKNOWN" };
  } finally {
    signal.removeEventListener("abort", onAbort);
    session.destroy();
  }
}

function call(session: ClientHttp2Session, service: string, userAgent: string): Promise<HealthAnswer> {
  return new Promise((resolve, reject) => {
    session.once("error", reject);
    session.once("close", () => reject(new Error("the connection was closed")));
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: "/grpc.health.v1.Health/Check",
      [constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
      [constants.HTTP2_HEADER_TE]: "trailers",
      [constants.HTTP2_HEADER_USER_AGENT]: userAgent,
    });
    const chunks: Buffer[] = [];
    let code: number | undefined;
    let message = "";
    let httpStatus = 0;
    const read = (headers: Record<string, unknown>) => {
      if (headers[":status"] !== undefined) httpStatus = Number(headers[":status"]);
      if (headers["grpc-status"] !== undefined) code = Number(headers["grpc-status"]);
      if (headers["grpc-message"] !== undefined)
        message = decodeURIComponent(String(headers["grpc-message"]));
    };
    // An answer without a message has its status in the first headers.
    stream.on("response", read);
    stream.on("trailers", read);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.once("error", reject);
    stream.once("end", () => {
      const status = code ?? unknownCode;
      const text = code === undefined ? `unexpected HTTP status code ${httpStatus} from server` : message;
      resolve({ code: status, message: text, serving: servingOf(Buffer.concat(chunks)) });
    });
    stream.end(frame(request(service)));
  });
}

/** A gRPC message on the wire: an uncompressed flag, its length in four bytes, itself. */
function frame(message: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

/** HealthCheckRequest: `string service = 1`. */
function request(service: string): Buffer {
  const name = Buffer.from(service);
  return name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a]), varint(name.length), name]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** HealthCheckResponse: `ServingStatus status = 1`; absent means its zero value. */
function servingOf(body: Buffer): HealthAnswer["serving"] {
  const message = body.subarray(5);
  const value = message[0] === 0x08 ? (message[1] ?? 0) : 0;
  return servingNames[value] ?? "UNKNOWN";
}
