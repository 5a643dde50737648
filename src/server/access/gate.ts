import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import type { Clock } from "../../base/clock.ts";
import { errorCode } from "../../base/errors.ts";
import type { Store } from "../../store/types.ts";
import type { AccessControl } from "./access-control.ts";
import { requestAttributes } from "./attributes.ts";
import { authenticate } from "./authenticate.ts";
import { authorize } from "./authorize.ts";
import { actingUser } from "./impersonate.ts";
import { type Rate, RateLimit } from "./rate-limit.ts";
import { mastersGroup, type User } from "./user.ts";

/** What somebody may ask who is not an administrator: far more than programs need, far less than the node can bear. */
const userRate: Rate = { burst: 400, perSecond: 100 };
/** All who are not known share one rate, so that nobody can guess tokens by trying. */
const strangerRate: Rate = { burst: 200, perSecond: 20 };

/**
 * Who makes a request. Throws Unauthorized, Forbidden or TooManyRequests for one that may not be made. Administrators
 * and the Unix socket are not limited, as `system:masters` are not on a cluster.
 */
export function createGate(
  access: Pick<AccessControl, "reviewToken">,
  store: Pick<Store, "list">,
  clock: Pick<Clock, "now">,
): (request: IncomingMessage) => User {
  const users = new RateLimit(userRate, clock);
  const strangers = new RateLimit(strangerRate, clock);
  const known = (request: IncomingMessage) => {
    try {
      return authenticate(request, access.reviewToken);
    } catch (error) {
      if (errorCode(error) === "Unauthorized") strangers.take("");
      throw error;
    }
  };
  return (request) => {
    const caller = known(request);
    const isLimited = request.socket instanceof TLSSocket && !caller.groups.includes(mastersGroup);
    if (isLimited) users.take(caller.name);
    const user = actingUser(caller, request, store);
    authorize(user, requestAttributes(request.method ?? "GET", request.url ?? "/"), store);
    return user;
  };
}
