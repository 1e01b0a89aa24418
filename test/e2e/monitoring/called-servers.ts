// The servers that the monitored site calls, each real or a fake, and what is down.

import { writeFile } from 'node:fs/promises'
import { startFakeOpenId, type FakeOpenId } from '../../fakes/openid-provider.ts'
import { startFakeRadius } from '../../fakes/radius-server.ts'
import { createOpensslCa } from '../../servers/ocsp.ts'
import { startOpenLdap, type OpenLdap } from '../../servers/openldap.ts'
import { SERVICE } from '../../servers/openldap-data.ts'
import { createPki, type KeyPair, type Pki } from '../../servers/pki.ts'
import { freePort } from '../../servers/ports.ts'
import { startScriptedHttp } from '../../servers/scripted-http.ts'
import type { TemporaryFolder } from '../../servers/temporary.ts'
import { startTokenServer } from '../../servers/token-server.ts'

/** Where they are. */
export interface CalledServers {
  readonly pki: Pki
  readonly ldap: OpenLdap
  readonly radiusPort: number
  readonly provider: FakeOpenId
  /** An introspection endpoint, and a token endpoint. */
  readonly introspection: string
  readonly tokenEndpoint: string
  /** An application that receives logout tokens and audit events, and the collector of traces. */
  readonly application: string
  readonly collector: string
  /** The CA of client certificates, its CRL, and a client. */
  readonly clientCa: string
  readonly crl: string
  readonly client: KeyPair
  /** Nothing listens there. */
  readonly nowhere: number
}

/** Starts them; the stack ends them. */
export const startCalledServers = async (
  stack: AsyncDisposableStack,
  folder: TemporaryFolder,
): Promise<CalledServers> => {
  const pki = stack.use(await createPki())
  const [ldap, radius, provider, application, collector] = await Promise.all([
    startOpenLdap(),
    startFakeRadius(),
    startFakeOpenId(),
    startScriptedHttp(() => ({})),
    startScriptedHttp(() => ({ headers: { 'content-type': 'application/x-protobuf' } })),
  ])
  for (const server of [ldap, radius, provider, application, collector]) stack.use(server)
  const introspection = stack.use(
    await startTokenServer(pki.upstream, ({ path, form }) => ({
      body: path.endsWith('/token')
        ? { access_token: 'of-the-service', token_type: 'Bearer', expires_in: 60 }
        : { active: form['token'] === 'opaque', sub: 'erin', aud: 'countersign', exp: 4e9 },
    })),
  )
  const ca = stack.use(await createOpensslCa())
  await ca.issue('robot')
  const crl = folder.file('clients.crl')
  await Promise.all([
    writeFile(crl, await ca.completeCrl()),
    writeFile(folder.file('ldap.password'), `${SERVICE.password}\n`, { mode: 0o600 }),
  ])
  return {
    pki,
    ldap,
    radiusPort: radius.port,
    provider,
    introspection: `${introspection.origin}/introspect`,
    tokenEndpoint: `${introspection.origin}/token`,
    application: application.origin,
    collector: collector.origin,
    clientCa: ca.folder.file('ca.crt'),
    crl,
    client: { certificate: ca.folder.file('robot.crt'), key: ca.folder.file('robot.key') },
    nowhere: await freePort(),
  }
}
