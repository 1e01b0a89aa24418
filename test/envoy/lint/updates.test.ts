// What the config dump of a running Envoy tells of updates that it refused, or that wait.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { lint } from '../../../src/envoy/lint/lint.ts'
import { formatPath } from '../../../src/config/yaml-position.ts'
import { CLUSTERS, LISTENER, partOf, typed } from './corpus/case.ts'

describe('what came to a running Envoy and is not in force', () => {
  const edge = (): object => typed('envoy.config.listener.v3.Listener', partOf(LISTENER))
  const listenersOf = (...states: readonly object[]): object =>
    typed('envoy.admin.v3.ListenersConfigDump', { dynamic_listeners: states })
  const findings = (...configs: readonly object[]) => {
    const result = lint(JSON.stringify({ configs }))
    assert.ok(result.ok)
    return result.findings
      .filter(({ rule }) => rule.startsWith('update-'))
      .map(({ rule, severity, path, problem }) => ({
        rule,
        severity,
        at: formatPath(path),
        detail: problem.slice(problem.indexOf(':') + 2),
      }))
  }
  const failed = (more: object = {}): object => ({
    failed_configuration: edge(),
    details: "Error: multiple upgrade\nconfigs with the same name: 'SPDY/3.1'",
    ...more,
  })

  it('was refused: once for each resource, with the time and the reason', () => {
    assert.deepEqual(
      // Envoy tells it a second time, without a name and a time (measured, 1.40).
      findings(
        listenersOf(
          {
            name: 'edge',
            active_state: { listener: edge() },
            error_state: failed({
              last_update_attempt: '2026-11-25T22:14:29.392Z',
              version_info: 'v7',
            }),
          },
          { error_state: failed() },
        ),
      ),
      [
        {
          rule: 'update-refused',
          severity: 'error',
          at: 'configs[0].dynamic_listeners[0].error_state',
          detail:
            "listener edge; version v7; last tried at 2026-11-25T22:14:29.392Z; details: Error: multiple upgrade configs with the same name: 'SPDY/3.1'",
        },
      ],
    )
  })

  it('was refused, and there is nothing else', () => {
    assert.deepEqual(
      findings(listenersOf({ errorState: failed({ details: undefined }) })).map(
        ({ detail }) => detail,
      ),
      ['listener edge; details: none'],
    )
  })

  it('waits for a secret: reports its name, and not the secrets of other resources', () => {
    const listener = {
      ...Object(edge()),
      filter_chains: [
        {
          transport_socket: {
            typed_config: {
              common_tls_context: {
                tls_certificate_sds_secret_configs: [
                  { name: 'kubernetes://edge', sds_config: { ads: {} } },
                ],
                validation_context_sds_secret_config: {
                  name: 'kubernetes://ca',
                  sds_config: { ads: {} },
                },
              },
            },
          },
        },
      ],
    }
    assert.deepEqual(
      findings(
        listenersOf({ name: 'edge', warming_state: { version_info: '1', listener } }),
        typed('envoy.admin.v3.SecretsConfigDump', {
          dynamic_active_secrets: [{ name: 'kubernetes://ca' }],
          dynamic_warming_secrets: [{ name: 'kubernetes://edge' }, { name: 'a sealed grant' }],
        }),
      ),
      [
        {
          rule: 'update-waiting',
          severity: 'warning',
          at: 'configs[0].dynamic_listeners[0].warming_state',
          detail: 'listener edge, for secret kubernetes://edge',
        },
      ],
    )
  })

  it('waits as a cluster', () => {
    const cluster = typed('envoy.config.cluster.v3.Cluster', partOf(`${CLUSTERS}[1]`))
    const section = typed('envoy.admin.v3.ClustersConfigDump', {
      dynamic_warming_clusters: [{ cluster }],
    })
    assert.deepEqual(
      findings(section).map(({ detail }) => detail),
      ['cluster api'],
    )
  })
})
