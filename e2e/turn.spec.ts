// Tests viewers that reach the server through a TURN server alone, with the credentials that the server makes for them.
import { away, CAMERAS, expect, needsNamespaces } from './away';
import { Coturn } from './coturn';

const SECRET = 'the secret of two servers';
const RELAY_ONLY = { pcConfig: { iceTransportPolicy: 'relay' as const } };
/** Where no path is to be found, for as long as the servers take to refuse one. */
const REFUSED = { ...RELAY_ONLY, connectionTimeout: 5_000 };

needsNamespaces();

const relayed = away.extend<{ coturn: Coturn }>({
  coturn: async ({ netns }, use, info) => {
    const coturn = await Coturn.start(netns.host, SECRET);
    await use(coturn);
    await coturn.stop();
    if (info.status !== info.expectedStatus) console.log(coturn.child.lines.slice(-40).join('\n'));
  },
});

/** What `webrtc:` has for this TURN server. */
const uses = (url: string, secret = SECRET) => ({ turn_secret: secret, ice_servers: [{ urls: [url] }] });

/** Makes Chromium trust the certificate, and no other that it does not know. */
const trusting = (coturn: Coturn) => [`--ignore-certificate-errors-spki-list=${coturn.fingerprint}`];

for (const [by, urlOf] of [
  ['udp', ({ udpUrl }: Coturn) => udpUrl],
  ['tls', ({ tlsUrl }: Coturn) => tlsUrl],
] as const) {
  relayed(`all tiles play through TURN over ${by}`, async ({ coturn, leave }) => {
    const { server, wall } = await leave({ webrtc: uses(urlOf(coturn)) }, trusting(coturn));
    const took = await wall.timedPlay(CAMERAS, RELAY_ONLY);
    console.log(`TURN over ${by}: all tiles play ${Math.round(took)} ms after connect`);
    // From the TURN server on it is UDP.
    const route = { type: 'relay', protocol: 'udp', relayProtocol: by };
    expect(await wall.route()).toEqual({ ...route, to: `${coturn.address}:${server.webrtcPort}` });
    const [user] = coturn.child.lines.join('\n').match(/username=<\d+:multistream>/) ?? [];
    expect(user, 'a credential that expires').toBeDefined();
    const allocated = coturn.child.lines.filter((line) => /ALLOCATE processed, success/.test(line));
    expect(allocated, 'one allocation for all tiles').toHaveLength(1);
  });
}

relayed(
  'where the media port is blocked all tiles play by turns: without further settings',
  async ({ coturn, leave }) => {
    const { netns, server, wall } = await leave({ webrtc: uses(coturn.tlsUrl) }, trusting(coturn));
    netns.blockUdp(true);
    netns.drop(`tcp dport ${server.webrtcPort}`);
    await wall.play(...CAMERAS);
    expect(await wall.route()).toMatchObject({ type: 'relay', relayProtocol: 'tls' });
  },
);

relayed(
  'a turns: server whose certificate the browser does not trust is not used',
  async ({ coturn, leave }) => {
    const { wall } = await leave({ webrtc: uses(coturn.tlsUrl) });
    await expect(wall.timedPlay(CAMERAS, REFUSED)).rejects.toThrow(`${coturn.tlsUrl}: `);
  },
);

relayed(
  'the error of a TURN server with another secret names it and what it said',
  async ({ coturn, leave }) => {
    const { wall } = await leave({ webrtc: uses(coturn.udpUrl, 'another secret') });
    const error = await wall.timedPlay(CAMERAS, REFUSED).catch(String);
    expect(error).toContain(`${coturn.udpUrl}: Unauthorized`);
  },
);
