// How the scenario asks at the gateway.

import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { pairsOf, valuesOf, type Answer, type HeaderLine } from '../../servers/client.ts'
import { upgradeRaw, type Upgraded } from '../../servers/raw-client.ts'
import { receivedBy } from '../site.ts'
import { HOSTS, type IstioSite } from './site.ts'

/** The status of an answer and the reason of its decision, such as `401 credential-missing`. */
export const verdictOf = async (site: IstioSite, answer: Answer): Promise<string> => {
  const [id] = valuesOf(answer, 'x-countersign-decision')
  const event = (await site.decisions()).findLast((candidate) => candidate.id === id)
  return `${answer.status} ${event?.reason ?? 'by the gateway'}`
}

/** The caller's identity as an application received it, or the verdict where it received none. */
export const reportedIdentity = async (site: IstioSite, answer: Answer): Promise<string> => {
  if (answer.status !== 200) return await verdictOf(site, answer)
  const lines = receivedBy(answer)
  const values = (wanted: string): readonly string[] =>
    lines.flatMap(([name, value]) => (name === wanted ? [value] : []))
  return `${values('x-remote-user').join()} of ${values('x-remote-group').join('|')}`
}

/** Asks at the gateway's plain listener. */
export const askPlainly = async (
  { places }: IstioSite,
  host: string,
  headers: readonly HeaderLine[] = [],
): Promise<Answer> => {
  const lines: readonly HeaderLine[] = [['host', host], ...headers]
  const sent = request({
    host: '127.0.0.1',
    port: places.http,
    headers: lines.flat(),
    agent: false,
  })
  sent.end()
  const [response]: IncomingMessage[] = await once(sent, 'response')
  if (response === undefined) throw new Error('no answer')
  return {
    status: response.statusCode ?? 0,
    headers: pairsOf(response.rawHeaders),
    body: await text(response),
  }
}

/** Asks to change the protocol. */
export const upgrade = (
  site: IstioSite,
  protocol: string,
  headers: readonly HeaderLine[],
): Promise<Upgraded> =>
  upgradeRaw(site.target(HOSTS.api), {
    line: `${protocol === 'websocket' ? 'GET' : 'POST'} /exec HTTP/1.1`,
    headers: [['Host', HOSTS.api], ['Connection', 'Upgrade'], ['Upgrade', protocol], ...headers],
  })

/** Sends a line on an upgraded connection, and gives what comes back. */
export const echoed = async ({ socket, rest }: Upgraded, line: string): Promise<string> => {
  socket.write(line)
  let back = rest.toString()
  socket.resume()
  while (back.length < line.length) {
    const [chunk]: Buffer[] = await once(socket, 'data')
    back += String(chunk)
  }
  return back
}
