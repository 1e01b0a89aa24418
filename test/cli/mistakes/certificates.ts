// Certificates that have expired or will, that are of another key, or not of a CA.

import { BASE, ENVOY, SIGNER, TLS, type Mistake } from './site.ts'

const trust = (file: string): Mistake['edit'] => [['trust: ca.pem', `trust: ${file}`]]

const listen = (before: string, after: string): Mistake['edit'] => [
  ['listen: { authz: unix:authz.sock }', TLS.replace(before, after)],
]

const envoy = (...edits: readonly (readonly [string, string])[]): Mistake['edit'] => [
  [
    'version: 1',
    `version: 1\n${edits.reduce((text, [one, other]) => text.replace(one, other), ENVOY)}`,
  ],
]

const signer = (before: string, after: string): Pick<Mistake, 'edit' | 'signer'> => ({
  edit: BASE,
  signer: SIGNER.replace(before, after),
})

/** The table. */
export const CERTIFICATE_MISTAKES: readonly Mistake[] = [
  {
    name: 'trust in a key',
    edit: trust('server.key'),
    want: [
      'countersign.yaml:5:26: authenticators.cert.certificate.trust: server.key holds no certificate in PEM',
      '1 problem found.',
    ],
  },
  {
    name: 'trust in a leaf',
    edit: trust('server.pem'),
    want: [
      'countersign.yaml:5:26: authenticators.cert.certificate.trust: certificate 1 of server.pem is not the certificate of a CA (basicConstraints without CA:TRUE)',
      '1 problem found.',
    ],
  },
  {
    name: 'trust in a CA that has expired',
    edit: trust('expired-ca.pem'),
    want: [
      'countersign.yaml:5:26: authenticators.cert.certificate.trust: the CA in expired-ca.pem expired at TIME. Every certificate of it is refused. Renew it',
      '1 problem found.',
    ],
  },
  {
    name: 'trust in a CA that is not valid yet',
    edit: trust('future-ca.pem'),
    want: [
      'countersign.yaml:5:26: authenticators.cert.certificate.trust: the CA in future-ca.pem is not valid before TIME. Every certificate of it is refused. Check the clock of this machine and of its CA',
      '1 problem found.',
    ],
  },
  {
    name: 'trust in a CA that has an hour left',
    edit: trust('soon-ca.pem'),
    valid: true,
    want: [
      'countersign.yaml:5:26: warning: authenticators.cert.certificate.trust: the CA in soon-ca.pem expires at TIME. Renew it in time',
    ],
  },
  {
    name: 'trust in two CAs, of which one has expired',
    edit: trust('bundle.pem'),
    valid: true,
    want: [
      'countersign.yaml:5:26: warning: authenticators.cert.certificate.trust: CA 2 of 2 in bundle.pem expired at TIME. Renew it',
    ],
  },
  {
    name: 'authz: a certificate that has expired',
    edit: [
      [
        'listen: { authz: unix:authz.sock }',
        TLS.replace('server.pem', 'expired.pem').replace('server.key', 'expired.key'),
      ],
    ],
    want: [
      'countersign.yaml:2:51: listen.authz.tls.certificate: the certificate in expired.pem expired at TIME. Renew it',
      '1 problem found.',
    ],
  },
  {
    name: 'authz: the key of another certificate',
    edit: listen('server.key', 'other.key'),
    want: [
      'countersign.yaml:2:76: listen.authz.tls.key: other.key does not hold the key of server.pem',
      '1 problem found.',
    ],
  },
  {
    name: 'authz: the CA of Envoy is a leaf',
    edit: listen('clientCa: ca.pem', 'clientCa: server.pem'),
    want: [
      'countersign.yaml:2:100: listen.authz.tls.clientCa: server.pem is not the certificate of a CA (basicConstraints without CA:TRUE). Name the CA that signed it',
      '1 problem found.',
    ],
  },
  {
    name: 'authz: the CA of Envoy has expired',
    edit: listen('clientCa: ca.pem', 'clientCa: expired-ca.pem'),
    want: [
      'countersign.yaml:2:100: listen.authz.tls.clientCa: the CA in expired-ca.pem expired at TIME. Every certificate of it is refused. Renew it',
      '1 problem found.',
    ],
  },
  {
    name: 'authz: a path for the key',
    edit: listen('file:server.key', 'server.key'),
    want: [
      'countersign.yaml:2:76: listen.authz.tls.key: must be a reference, "file:PATH" or "env:NAME": write "file:server.key"',
      '1 problem found.',
    ],
  },
  {
    name: 'authz: the key and the certificate exchanged',
    edit: [
      [
        'listen: { authz: unix:authz.sock }',
        TLS.replace('server.pem', 'x')
          .replace('server.key', 'server.pem')
          .replace('certificate: x', 'certificate: server.key'),
      ],
    ],
    want: [
      'countersign.yaml:2:76: warning: listen.authz.tls.key: server.pem has mode 0644: every user of this machine can read the secret (chmod 0600)',
      'countersign.yaml:2:51: listen.authz.tls.certificate: server.key holds no certificate in PEM',
      '1 problem found.',
    ],
  },
  {
    name: 'Envoy: a certificate that has expired',
    edit: envoy(['server.pem', 'expired.pem'], ['server.key', 'expired.key']),
    want: [
      'countersign.yaml:3:42: envoy.listener.certificate: the certificate in expired.pem expired at TIME. Renew it',
      '1 problem found.',
    ],
  },
  {
    name: 'Envoy: a certificate that has a day left',
    edit: envoy(['server.pem', 'soon.pem'], ['server.key', 'soon.key']),
    valid: true,
    want: [
      'countersign.yaml:3:42: warning: envoy.listener.certificate: the certificate in soon.pem expires at TIME. Renew it in time',
    ],
  },
  {
    name: 'Envoy: the key of another certificate',
    edit: envoy(['server.key', 'other.key']),
    want: [
      'countersign.yaml:3:67: envoy.listener.key: other.key does not hold the key of server.pem',
      '1 problem found.',
    ],
  },
  {
    name: 'Envoy: the CA of clients is a leaf',
    edit: envoy(['clientCa: ca.pem', 'clientCa: server.pem']),
    want: [
      'countersign.yaml:3:84: envoy.listener.clientCa: server.pem is not the certificate of a CA (basicConstraints without CA:TRUE). Name the CA that signed it',
      '1 problem found.',
    ],
  },
  {
    name: 'Envoy: the CA of an upstream has expired',
    edit: envoy(["6443', ca: ca.pem", "6443', ca: expired-ca.pem"]),
    want: [
      'countersign.yaml:4:50: envoy.upstreams.api.ca: the CA in expired-ca.pem expired at TIME. Every certificate of it is refused. Renew it',
      '1 problem found.',
    ],
  },
  {
    name: 'Envoy: a certificate for an upstream without its key',
    edit: envoy(["6443', ca: ca.pem", "6443', ca: ca.pem, certificate: server.pem"]),
    want: [
      'countersign.yaml:4:16: envoy.upstreams.api: set both "certificate" and "key"',
      '1 problem found.',
    ],
  },
  {
    name: 'signer: the key of another CA',
    ...signer('file:ca.key', 'file:other.key'),
    want: [
      'signer.yaml:3:45: authorities.kube.key: the key does not belong to the certificate',
      '1 problem found.',
    ],
  },
  {
    name: 'signer: a leaf as CA',
    ...signer("ca.pem, key: 'file:ca.key", "server.pem, key: 'file:server.key"),
    want: [
      'signer.yaml:3:24: authorities.kube.certificate: certificate 1 of the file cannot be used: it is not the certificate of a CA (basicConstraints without CA:TRUE)',
      '1 problem found.',
    ],
  },
  {
    name: 'signer: a CA that has expired',
    ...signer('ca.pem', 'expired-ca.pem'),
    want: [
      'signer.yaml:3:24: authorities.kube.certificate: certificate 1 of the file expired at TIME',
      '1 problem found.',
    ],
  },
]
