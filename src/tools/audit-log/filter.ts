// Which events of an audit log are wanted. Lines are untrusted: a field of another type matches nothing.

import { BlockList, isIP } from 'node:net'
import { isJsonObject, type JsonObject } from '../../runtime/json-object.ts'

/** What an event has to be; all that is given has to match. */
export interface EventFilter {
  /** The name of the event. */
  readonly event?: string | undefined
  readonly user?: string | undefined
  readonly route?: string | undefined
  readonly decision?: string | undefined
  readonly reason?: string | undefined
  /** An address, or a network in CIDR notation. */
  readonly source?: string | undefined
  /** Of Kubernetes: `pods`, `pods/exec`, `deployments.apps`. */
  readonly resource?: string | undefined
  /** Milliseconds since the epoch: from this time on. */
  readonly since?: number | undefined
  /** Before this time. */
  readonly until?: number | undefined
}

/** A filter as a function. */
export const eventMatcher = (filter: EventFilter): ((event: JsonObject) => boolean) => {
  const { source, resource, since = -Infinity, until = Infinity } = filter
  const isFromSource = source === undefined ? () => true : sourceMatcher(source)
  const hasTimes = filter.since !== undefined || filter.until !== undefined
  const texts = (['event', 'user', 'route', 'decision', 'reason'] as const).flatMap((field) => {
    const want = filter[field]
    return want === undefined ? [] : [{ field, want }]
  })
  return (event) => {
    if (!texts.every(({ field, want }) => event[field] === want)) return false
    if (resource !== undefined && !resourcesOf(event).includes(resource)) return false
    if (!isFromSource(event['source'])) return false
    if (!hasTimes) return true
    const at = Date.parse(String(event['time']))
    return at >= since && at < until // an unreadable time is in no range
  }
}

/** Whether a text is an address or a network. */
export const isSource = (text: string): boolean => {
  const [address = '', prefix, ...more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || more.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && +prefix <= (family === 4 ? 32 : 128))
}

const sourceMatcher = (text: string): ((source: unknown) => boolean) => {
  const [address = '', prefix] = text.split('/')
  const list = new BlockList()
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
  list.addSubnet(address, prefix === undefined ? (family === 'ipv6' ? 128 : 32) : +prefix, family)
  return (source) => {
    if (typeof source !== 'string') return false
    if (source === text) return true // a summary has a network
    const kind = isIP(source)
    return kind !== 0 && list.check(source, kind === 6 ? 'ipv6' : 'ipv4')
  }
}

const resourcesOf = ({ kubernetes }: JsonObject): readonly string[] => {
  if (!isJsonObject(kubernetes)) return []
  const { resource, subresource, apiGroup } = kubernetes
  if (typeof resource !== 'string') return []
  const names = typeof apiGroup === 'string' ? [resource, `${resource}.${apiGroup}`] : [resource]
  return typeof subresource === 'string'
    ? names.flatMap((name) => [name, `${name}/${subresource}`])
    : names
}
