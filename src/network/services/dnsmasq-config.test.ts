import { expect, test } from "vitest";
import { dnsmasqConfig } from "./dnsmasq-config.ts";

test("every record has its line; what is not the cluster's is asked of the host's servers", () => {
  const config = dnsmasqConfig(
    {
      address: "10.244.0.1",
      port: 5301,
      domain: "cluster.local",
      subnets: ["10.244.0.0/24"],
      resolvConf: "/etc/resolv.conf",
    },
    {
      addresses: [
        { name: "a.group.shop.svc.cluster.local", ip: "10.244.0.2" },
        { name: "group.shop.svc.cluster.local", ip: "10.244.0.2" },
      ],
      aliases: [{ name: "out.shop.svc.cluster.local", target: "www.example.com" }],
      ports: [
        {
          name: "_http._tcp.group.shop.svc.cluster.local",
          target: "a.group.shop.svc.cluster.local",
          port: 80,
        },
      ],
    },
    [{ name: "www.example.com", ip: "192.0.2.80" }],
  );
  expect(config).toBe(`port=5301
listen-address=10.244.0.1
bind-interfaces
no-hosts
resolv-file=/etc/resolv.conf
cache-size=1000
local-ttl=5
local=/cluster.local/
rev-server=10.244.0.0/24
txt-record=dns-version.cluster.local,1.1.0
host-record=a.group.shop.svc.cluster.local,10.244.0.2
host-record=group.shop.svc.cluster.local,10.244.0.2
host-record=www.example.com,192.0.2.80
cname=out.shop.svc.cluster.local,www.example.com
srv-host=_http._tcp.group.shop.svc.cluster.local,a.group.shop.svc.cluster.local,80,0,100
`);
});
