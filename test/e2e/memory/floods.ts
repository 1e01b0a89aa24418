// What unauthenticated and authenticated clients can send, as much of it as authz takes.

import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { basic, type RequestParts } from '../../fakes/envoy.ts'
import { CALLBACK, HOST, type FloodedSite } from './flooded-site.ts'

/** One of them. */
export interface Flood {
  readonly name: string
  /** @param times how much more than in the quick test */
  readonly run: (site: FloodedSite, times: number) => Promise<void>
}

// About what Envoy lets wait for one cluster (circuit breakers, `max_requests`).
const IN_FLIGHT = 1_000

const random = (bytes: number): string => randomBytes(bytes).toString('base64url')

/** Another address each time. */
const anywhere = (): string =>
  `2001:db8:${randomBytes(6)
    .toString('hex')
    .replaceAll(/(....)(?!$)/g, '$1:')}::1`

/** Runs so many, so many at a time; what each is answered does not matter. */
const many = async (count: number, atOnce: number, one: () => Promise<unknown>): Promise<void> => {
  let left = count
  const run = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      await one().catch(() => undefined)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, run))
}

const checks = (
  count: number,
  parts: (site: FloodedSite) => RequestParts | Promise<RequestParts>,
  atOnce = IN_FLIGHT,
): Flood['run'] => {
  return async (site, times) => {
    using client = site.client()
    await many(count * times, atOnce, async () => {
      await client.check({ host: HOST, sourceAddress: anywhere(), ...(await parts(site)) })
    })
  }
}

interface IssuerRequest {
  readonly path: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A request to the issuer; resolves when it is over, however. */
const ask = (
  { issuer }: FloodedSite,
  options: IssuerRequest,
  write: (sent: ReturnType<typeof request>) => void = (sent) => void sent.end(),
): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const headers = { host: 'issuer.example.org', 'x-forwarded-for': anywhere(), ...options.headers }
  const sent = request({ socketPath: issuer, agent: false, ...options, headers })
  sent
    .on('response', (response) => response.resume())
    .on('error', () => {})
    .on('close', resolve)
  write(sent)
  return promise
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

const requests = (
  count: number,
  options: () => IssuerRequest,
  write?: Parameters<typeof ask>[2],
): Flood['run'] => {
  return (site, times) => many(count * times, 100, () => ask(site, options(), write))
}

/** Writes megabytes, until the other end has had enough. */
const pour =
  (megabytes: number) =>
  (sent: ReturnType<typeof request>): void => {
    const chunk = Buffer.alloc(65_536, 'a=b&')
    let left = megabytes * 16
    const more = (): void => {
      while (left > 0 && !sent.destroyed) {
        left -= 1
        if (sent.write(chunk)) continue
        sent.once('drain', more)
        return
      }
      sent.end()
    }
    more()
  }

/** Connections that are opened and stay idle after some first bytes. */
const connections =
  (count: number, to: 'checks' | 'issuer', first: string): Flood['run'] =>
  async (site, times) => {
    const open: Socket[] = []
    for (let number = 0; number < count * times; number += 1) {
      const socket = connect(site[to]).on('error', () => {})
      if (first !== '') socket.write(first)
      open.push(socket)
      if (number % 100 === 99) await sleep(5)
    }
    await sleep(300)
    for (const socket of open) socket.destroy()
  }

const authorize = (): IssuerRequest => {
  const query = new URLSearchParams({
    client_id: 'spa',
    redirect_uri: CALLBACK,
    response_type: 'code',
    scope: 'openid',
    code_challenge: random(32),
    code_challenge_method: 'S256',
    state: random(1_000),
    nonce: random(1_000),
  })
  return { path: `/authorize?${query.toString()}` }
}

const chain = async ({ pki }: FloodedSite): Promise<RequestParts> => {
  const pem = encodeURIComponent(await readFile(pki.edge.certificate, 'utf8'))
  const element = `Hash=${random(32)};Cert="${pem}";Chain="${pem.repeat(8)}"`
  return { headers: [['x-forwarded-client-cert', element]] }
}

const PADDING = 'x'.repeat(4_000)

/** All of them; each takes some tenths of a second. */
export const FLOODS: readonly Flood[] = [
  {
    name: 'opaque tokens',
    run: checks(500, () => ({ headers: [['authorization', `Bearer ${random(40)}`]] })),
  },
  {
    name: 'JWTs of 60 KB',
    run: checks(150, () => {
      const header = Buffer.from('{"alg":"ES256","kid":"k1"}').toString('base64url')
      return { headers: [['authorization', `Bearer ${header}.${random(45_000)}.${random(64)}`]] }
    }),
  },
  {
    name: 'wrong passwords of a user',
    run: checks(100, () => ({ headers: [['authorization', basic('alice', random(20))]] })),
  },
  {
    name: 'passwords of users that do not exist',
    run: checks(100, () => ({ headers: [['authorization', basic(random(60), random(60))]] })),
  },
  {
    name: 'API keys that do not exist',
    run: checks(500, () => ({ headers: [['x-api-key', `csk_${random(16)}_${random(32)}`]] })),
  },
  {
    name: '90 KB of headers',
    run: checks(150, () => ({
      headers: Array.from({ length: 22 }, (_, index) => [`x-${index}-${random(6)}`, PADDING]),
    })),
  },
  { name: 'chains in X-Forwarded-Client-Cert', run: checks(150, chain) },
  {
    name: 'hosts and paths that no route has',
    run: checks(500, () => ({ host: `${random(20)}.example.org`, path: `/${random(2_000)}` })),
  },
  {
    name: 'WebSocket upgrades',
    run: checks(500, () => ({
      headers: [
        ['connection', 'upgrade'],
        ['upgrade', 'websocket'],
        ['sec-websocket-key', random(16)],
        ['sec-websocket-protocol', `base64url.bearer.authorization.k8s.io.${random(500)}`],
      ],
    })),
  },
  {
    name: 'users with a hundred groups each',
    run: checks(200, async (site) => {
      const groups = Array.from({ length: 100 }, () => random(24))
      const token = await site.token(random(20), { groups })
      return { headers: [['authorization', `Bearer ${token}`]] }
    }),
  },
  { name: 'authorization requests', run: requests(100, authorize) },
  {
    name: 'bodies of 20 MB to the token endpoint',
    run: requests(10, () => ({ method: 'POST', path: '/token', headers: FORM }), pour(20)),
  },
  {
    name: 'device codes',
    run: requests(
      200,
      () => ({ method: 'POST', path: '/device/code', headers: FORM }),
      (sent) => sent.end('client_id=cli&scope=openid'),
    ),
  },
  {
    name: 'codes and clients that do not exist',
    run: requests(
      200,
      () => ({ method: 'POST', path: '/token', headers: FORM }),
      (sent) =>
        sent.end(`client_id=${random(20)}&grant_type=authorization_code&code=${random(4_000)}`),
    ),
  },
  { name: 'idle connections to authz', run: connections(1_000, 'checks', '') },
  {
    name: 'HTTP/2 connections to authz without a request',
    run: connections(500, 'checks', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'),
  },
  { name: 'idle connections to the issuer', run: connections(1_000, 'issuer', '') },
  {
    name: 'connections to the issuer that never end their headers',
    run: connections(500, 'issuer', `GET / HTTP/1.1\r\nx: ${'x'.repeat(8_000)}`),
  },
  {
    name: 'reloads',
    run: async ({ authz }, times) => {
      for (let round = 0; round < 10 * times; round += 1) {
        authz.signal('SIGHUP')
        await sleep(50)
      }
    },
  },
]
