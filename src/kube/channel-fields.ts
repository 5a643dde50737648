/**
 * The fields of Peapod's own kind, `channels.peapod.dev`, in the form of the generated table, so that OpenAPI and
 * `kubectl explain` know them as they know Kubernetes' own. The types in src/channels/types.ts say the same.
 */
export const channelFieldTable: Readonly<Record<string, string>> = {
  Channel: "apiVersion:string kind:string metadata:ObjectMeta spec:ChannelSpec status:ChannelStatus",
  ChannelSpec: "address!:string pod!:string podUID!:string port:int32 scope!:string size:int64 type!:string",
  ChannelStatus:
    "connections:ChannelConnections declared:bool endpoints!:[]ChannelEndpoint evidence!:[]ChannelEvidence " +
    "firstSeen!:Time lastSeen!:Time needsPort!:bool reason:string state!:string traffic:ChannelTraffic",
  ChannelConnections: "open!:int64 total!:int64",
  ChannelEndpoint:
    "container:string hostPID:int64 object:ChannelObject path:string pid:int64 process:string role!:string",
  ChannelObject: "kind!:string name!:string namespace!:string pods:[]string",
  ChannelTraffic: "clientToServer:ChannelCount serverToClient:ChannelCount since:Time",
  ChannelCount: "bytes:int64 operations:int64",
  ChannelEvidence: "detail!:string source!:string",
};

/** What `kubectl explain channels` says; the empty field is the type itself. */
export const channelDescriptions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Channel: {
    "": "One way in which the containers of a pod talk with each other or with the outside, as the kernel shows it. Read-only.",
    spec: "What the channel is; stays the same while it lives.",
    status: "What is to be seen of it now.",
  },
  ChannelSpec: {
    "": "What a channel is.",
    address: "Where its ends meet: address and port, path below the shared volume, key or name.",
    pod: "Name of the pod.",
    podUID: "UID of the pod.",
    port: "The port, of TCP and UDP only.",
    scope:
      "InterContainer: between containers of the pod. IntraContainer: within one. Ingress, Egress: from and to the outside.",
    size: "Size in bytes of shared memory and files.",
    type: "TCP, UDP, UnixStream, UnixDatagram, UnixSeqpacket, FIFO, Pipe, SysVSharedMemory, SysVSemaphore, SysVMessageQueue, POSIXSharedMemory, POSIXSemaphore, POSIXMessageQueue, SharedFile or Signal.",
  },
  ChannelStatus: {
    "": "What is to be seen of a channel.",
    connections: "Connections open now, and since the channel came.",
    declared: "Of TCP and UDP: whether a containerPort of the serving container names the port.",
    endpoints: "Who stands at its ends.",
    evidence: "Which kernel files and events said so.",
    firstSeen: "When it was seen first.",
    lastSeen: "When it was seen last.",
    needsPort: "Whether there can be no such channel without a port.",
    reason: "Why it is Blocked or Stale.",
    state: "Listening, Active, Idle, Blocked, Stale or Closed.",
    traffic: "What went through it, where the kernel can tell.",
  },
  ChannelConnections: {
    "": "Numbers of connections.",
    open: "Open now.",
    total: "Since the channel came.",
  },
  ChannelEndpoint: {
    "": "One end of a channel. What the kernel cannot tell is absent.",
    container: "Name of the container; absent for an end outside the pod.",
    hostPID: "Its process as the host numbers it.",
    object: "Of an end outside the pod: the object that has its address now.",
    path: "The path or address by which this end knows the channel, where it differs between the ends.",
    pid: "Its process as the container numbers it.",
    process: "Name of the process.",
    role: "Server, Client, Sender, Receiver, Writer, Reader or Peer.",
  },
  ChannelObject: {
    "": "An object of the API that has an address.",
    kind: "Pod, Service or Node.",
    name: "Its name.",
    namespace: "Its namespace; empty for a Node.",
    pods: "Of a Service: the pods among which it divides connections.",
  },
  ChannelTraffic: {
    "": "What went through a channel, by direction.",
    clientToServer: "In the direction of the arrow.",
    serverToClient: "In the other direction.",
    since: "From when on was counted, where that is not the channel's whole life.",
  },
  ChannelCount: {
    "": "An amount of traffic.",
    bytes: "Bytes.",
    operations: "Reads, writes or messages.",
  },
  ChannelEvidence: {
    "": "From where a fact was read.",
    detail: "What stood there.",
    source: "The kernel file or event.",
  },
};
