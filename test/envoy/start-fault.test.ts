import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startFault } from '../../src/envoy/start-fault.ts'

/** As Envoy 1.40 logs it. */
const logOf = (text: string): string =>
  `[2026-11-27 22:01:22.719][32207][warning][main] [source/server/server.cc:1] something else
[2026-11-27 22:01:22.719][32207][critical][main] [source/server/server.cc:449] error \`${text}\` initializing config 'goo.gle/debugonly
  /tmp/countersign-ndf2cH/envoy.yaml'
${text}`

describe('why Envoy does not start', () => {
  const CASES: readonly { name: string; text: string; want: string }[] = [
    {
      name: 'the key of another certificate',
      text: 'Failed to load private key from /tls/edge.key, Cause: error:0b000074:X.509 certificate routines:OPENSSL_internal:KEY_VALUES_MISMATCH',
      want: '/tls/edge.key is not the key of its certificate',
    },
    {
      name: 'a file without a key',
      text: 'Failed to load private key from /tls/edge.key, Cause: error:0900006e:PEM routines:OPENSSL_internal:NO_START_LINE',
      want: '/tls/edge.key contains no private key that Envoy can read',
    },
    {
      name: 'a certificate that does not exist',
      text: 'Failed to load incomplete certificate from /tls/edge.pem: certificate chain not set',
      want: '/tls/edge.pem is missing, empty or not readable by this user',
    },
    {
      name: 'a file without a certificate',
      text: 'Failed to load certificate chain from /tls/edge.pem',
      want: '/tls/edge.pem contains no certificate in PEM that Envoy can read',
    },
    {
      name: 'a CA that does not exist',
      text: 'Invalid path: /tls/ca.pem',
      want: '/tls/ca.pem does not exist or is not readable by this user',
    },
    {
      name: 'an access log in a folder that does not exist',
      text: "unable to open file '/nowhere/x.log': No such file or directory",
      want: '/nowhere/x.log cannot be opened: no such file or directory',
    },
    {
      name: 'an address of another machine',
      text: "cannot bind '192.0.2.7:8443': Cannot assign requested address",
      want: 'cannot listen on 192.0.2.7:8443: cannot assign requested address',
    },
    {
      name: 'a build without an extension',
      text: "Unable to parse JSON as proto: could not find @type 'type.googleapis.com/envoy.x.Y'",
      want: 'this build lacks the extension type.googleapis.com/envoy.x.Y. Use an Envoy with all its extensions, of the needed version',
    },
    { name: 'any other reason', text: 'first\n  second', want: 'first second' },
    {
      name: 'a long reason, which is cut',
      text: 'x'.repeat(20_000),
      want: `${'x'.repeat(300)}…`,
    },
  ]
  for (const { name, text, want } of CASES) {
    it(`names ${name}`, () => assert.equal(startFault(logOf(text)), want))
  }

  it('is unknown without a critical line', () => {
    assert.equal(
      startFault('[2026-11-27][1][warning][main] [a.cc:1] error `x` happened'),
      undefined,
    )
  })
})
