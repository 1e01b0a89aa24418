// The delegation hop of deploy/istio: a real Envoy with the bootstrap unchanged, except for its addresses
// and folders.

import { readFile } from 'node:fs/promises'
import { parseDocument } from 'yaml'
import { startEnvoy, type Envoy } from '../../servers/envoy.ts'
import { writeFiles } from './configuration.ts'
import { istioFile, placed, serviceAt } from './files.ts'
import { apply } from './mesh.ts'
import type { IstioSite } from './site.ts'

const LISTENER = ['static_resources', 'listeners', 0, 'address', 'socket_address'] as const
const UPSTREAM = ['static_resources', 'clusters', 1] as const
const ENDPOINT = ['load_assignment', 'endpoints', 0, 'lb_endpoints', 0, 'endpoint'] as const

/** Starts one, and makes it known to the mesh. */
export const startHop = async ({ cluster, pki, places }: IstioSite): Promise<Envoy> => {
  const name = 'countersign-hop.countersign.svc'
  const own = await pki.issue({ commonName: 'hop', names: [name], usage: 'server' })
  await writeFiles(places, {
    'secrets/countersign-hop-tls/tls.crt': await readFile(own.certificate, 'utf8'),
    'secrets/countersign-hop-tls/tls.key': await readFile(own.key, 'utf8'),
    'secrets/countersign-hop-tls/ca.crt': await readFile(pki.ca, 'utf8'),
  })
  const bootstrap = parseDocument(placed(await istioFile('delegation-hop.envoy.yaml'), places))
  const place = (port: number): object => ({ address: '127.0.0.1', port_value: port })
  bootstrap.setIn(LISTENER, place(0))
  bootstrap.setIn([...UPSTREAM, 'type'], 'STATIC')
  bootstrap.deleteIn([...UPSTREAM, 'dns_lookup_family'])
  bootstrap.setIn([...UPSTREAM, ...ENDPOINT, 'address', 'socket_address'], place(places.apiServer))
  bootstrap.setIn(['admin', 'address', 'pipe', 'path'], `${places.folder}/hop.sock`)
  await using stack = new AsyncDisposableStack()
  const envoy = stack.use(await startEnvoy({ bootstrap: bootstrap.toString() }))
  const port = await envoy.port('hop')
  await apply(cluster, [serviceAt(`${name}.cluster.local`, 8_443, 'HTTPS', port)])
  stack.move()
  return envoy
}
