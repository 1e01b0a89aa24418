// A running Envoy with one listener for each case, in front of an upstream that reports the headers of a request.

import { startEnvoy, type Envoy } from '../../servers/envoy.ts'
import { startScriptedHttp } from '../../servers/scripted-http.ts'
import { temporaryFolder } from '../../servers/temporary.ts'

/** An Envoy, and the bootstrap that it was started with. */
export interface ReportingEnvoy extends AsyncDisposable {
  readonly envoy: Envoy
  readonly bootstrap: string
}

/**
 * Starts it.
 *
 * @param listeners which route to the cluster `upstream`
 * @param report what the upstream answers, as JSON
 */
export const startReportingEnvoy = async (
  listeners: readonly object[],
  report: (headers: NodeJS.Dict<string | string[]>) => unknown,
): Promise<ReportingEnvoy> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const upstream = stack.use(
    await startScriptedHttp(({ headers }) => ({
      body: Buffer.from(JSON.stringify(report(headers))),
    })),
  )
  const endpoint = {
    address: {
      socket_address: { address: '127.0.0.1', port_value: Number(new URL(upstream.origin).port) },
    },
  }
  const bootstrap = JSON.stringify({
    admin: { address: { pipe: { path: folder.file('admin.sock') } } },
    static_resources: {
      listeners,
      clusters: [
        {
          name: 'upstream',
          type: 'STATIC',
          load_assignment: {
            cluster_name: 'upstream',
            endpoints: [{ lb_endpoints: [{ endpoint }] }],
          },
        },
      ],
    },
  })
  const envoy = stack.use(await startEnvoy({ bootstrap, concurrency: 1 }))
  const owned = stack.move()
  return { envoy, bootstrap, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
