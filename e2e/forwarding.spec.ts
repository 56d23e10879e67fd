// Tests ports that are forwarded to a server in a network of its own, as `docker run --publish` and a router's port forwarding do:
// the viewer reaches the host's address alone, and the server does not have that address.
import { away as base, CAMERAS, expect, needsNamespaces } from './away';
import { freePort } from './child';
import { rtspStreams } from './fixtures';
import { Netns } from './netns';
import { packageHost } from './package-host';
import type { Server } from './server';
import type { Wall } from './wall';

const TOKEN = 'sesame';

needsNamespaces();

interface Published {
  server: Server;
  wall: Wall;
  /** The address and port that the host forwards to the media port. */
  media: string;
}

interface Fixtures {
  networks: { host: Netns; container: Netns };
  /** `announce`: whether the server is told the host's address. */
  publish: (options: { announce: boolean }) => Promise<Published>;
}

const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads a fixture's needs from this pattern.
  networks: async ({}, use) => {
    const [host, container] = [Netns.create(), Netns.create()];
    await use({ host, container });
    host.remove();
    container.remove();
  },
  // The networks are named before `serve`, so that the server ends before its network does.
  publish: async ({ netns: viewer, networks: { host, container }, cameras, serve, browse }, use) => {
    const [, , third] = viewer.address.split('.');
    const [outer, inner] = [`10.78.${third}`, `10.79.${third}`];
    host.join(viewer, outer);
    host.join(container, inner);
    host.forwardPackets();
    await use(async ({ announce }) => {
      const [pageUrl] = [await viewer.forward(Number(new URL(await packageHost()).port))];
      await container.forward(cameras.port);
      const mediaPort = await freePort();
      const media = `${outer}.1:${mediaPort}`;
      const streams = Object.entries(rtspStreams(cameras, CAMERAS.length)).map(([name, url]) => [
        name,
        url.replace('127.0.0.1', container.host),
      ]);
      const server = await serve({
        netns: container,
        streams: Object.fromEntries(streams) as Record<string, string>,
        api: { token: TOKEN },
        webrtc: { listen: `:${mediaPort}`, ...(announce && { candidates: [media] }) },
        origins: [pageUrl],
      });
      // What Docker sets up for `-p 1984:1984 -p 8555:8555/udp -p 8555:8555/tcp`. Nothing else gets through.
      host.filter(`table ip published {
        chain arrives {
          type nat hook prerouting priority dstnat;
          ip daddr ${outer}.1 tcp dport { ${server.port}, ${mediaPort} } dnat to ${inner}.2
          ip daddr ${outer}.1 udp dport ${mediaPort} dnat to ${inner}.2
        }
        chain passes {
          type filter hook forward priority 0; policy drop;
          ct state established,related accept
          ct status dnat accept
        }
      }`);
      const wall = await browse({ url: `http://${outer}.1:${server.port}`, pageUrl });
      return { server, wall, media };
    });
  },
});

for (const transport of ['udp', 'tcp'] as const) {
  test(`all tiles play through a forwarded ${transport} port that is announced`, async ({
    publish,
    netns,
  }) => {
    const { wall, media } = await publish({ announce: true });
    if (transport === 'tcp') netns.drop('meta l4proto udp');
    const took = await wall.timedPlay(CAMERAS, { token: TOKEN });
    console.log(`forwarded, ${transport}: all tiles play ${Math.round(took)} ms after connect`);
    expect(await wall.route()).toMatchObject({ protocol: transport, to: media });
  });
}

test('without the announced address there is no picture, and the error names the addresses that were tried', async ({
  publish,
}) => {
  const { wall, server } = await publish({ announce: false });
  const opened = wall.connect([{ slot: 0, stream: 'camera1' }], {
    token: TOKEN,
    connectionTimeout: 4_000,
  });
  await expect(opened).rejects.toThrow(
    new RegExp(
      `is its WebRTC port reachable, by UDP or TCP\\? .*Tried 10\\.79\\.\\d+\\.2 port ${server.webrtcPort}\\.`,
    ),
  );
});
