import { errorCode, explain } from "../../base/errors.ts";
import { KeyedQueue } from "../../base/keyed-queue.ts";
import { type Scope, withSignal } from "../../base/scope.ts";
import type { EndpointSlice, Service } from "../../kube/types.ts";
import type { Backend, ServiceNetwork } from "../../network/services/types.ts";
import type { Store } from "../../store/types.ts";
import { nameRecords } from "./name-records.ts";
import { serviceForwards } from "./service-forwards.ts";

const followed = ["services", "endpointslices.discovery.k8s.io"];
/** How often everything is made right although no change was seen: after a failure, or when somebody else broke it. */
const mendMilliseconds = 5_000;

/**
 * Does a kube-proxy's work and tells the name server of its names: what Services and their EndpointSlices say is made
 * so on this machine, until `stop`. Resolves when the first round is done. What it made stays.
 */
export async function startServiceProxy(
  parts: {
    readonly store: Pick<Store, "list" | "watch">;
    readonly network: ServiceNetwork;
    /** Where this node's API listens; undefined where it does only on a Unix socket. */
    readonly apiServer: Backend | undefined;
  },
  outerScope: Scope,
): Promise<{ stop(): Promise<void> }> {
  const { store, network, apiServer } = parts;
  const stopping = new AbortController();
  const scope = withSignal(outerScope, stopping.signal);

  const round = async () => {
    const services = store.list("services").items as unknown as readonly Service[];
    const slices = store.list("endpointslices.discovery.k8s.io").items as unknown as readonly EndpointSlice[];
    const names = network.names();
    await network.apply(
      {
        forwards: serviceForwards(services, slices, apiServer),
        names: nameRecords(services, slices, names.ok ? names.domain : "invalid"),
      },
      scope,
    );
  };
  const queue = new KeyedQueue(round, (_, error) => {
    if (!scope.signal.aborted)
      scope.log.error({ error: explain(error) }, "Services are not as they should be");
  });

  const follow = async (resource: string) => {
    while (!scope.signal.aborted) {
      const { resourceVersion } = store.list(resource);
      queue.enqueue("services");
      try {
        for await (const _ of store.watch(resource, { resourceVersion, signal: scope.signal })) {
          queue.enqueue("services");
        }
      } catch (error) {
        if (errorCode(error) !== "Expired") throw error;
      }
    }
  };
  const mend = async () => {
    while (!scope.signal.aborted) {
      await scope.clock.sleep(mendMilliseconds, scope.signal);
      queue.enqueue("services");
    }
  };

  await round().catch((error) => {
    scope.log.error({ error: explain(error) }, "Services do not work yet");
  });
  const running = [...followed.map(follow), mend()].map((task) =>
    task.catch((error) => {
      if (!scope.signal.aborted) scope.log.error({ error: explain(error) }, "watch of Services ended");
    }),
  );
  return {
    async stop() {
      stopping.abort(new Error("the node daemon is stopping"));
      await Promise.all(running);
      await queue.close();
    },
  };
}
