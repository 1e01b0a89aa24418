// The whole configuration of a FreeRADIUS 3.x for tests, as text.

import type { KeyPair } from './pki.ts'

/** A user, as the server knows it. */
export interface RadiusUser {
  readonly name: string
  readonly password: string
  /** The right password is rejected, with the message `Account disabled`. */
  readonly disabled?: boolean
  /**
   * The password alone is not enough. `code`: 123456 must follow. `pin`: 4711 and then 123456.
   */
  readonly second?: 'code' | 'pin'
  /** The server takes 0.8 s to answer. */
  readonly slow?: boolean
  /** The only `Calling-Station-Id` that the user may have. */
  readonly from?: string
  /** Attributes of the Access-Accept, in FreeRADIUS' own notation: `Class += "staff"`. */
  readonly reply?: readonly string[]
}

/** What {@link radiusConfiguration} needs. */
export interface RadiusConfiguration {
  /** With `run` and `log` in it. */
  readonly folder: string
  /** Where FreeRADIUS has its modules. */
  readonly libraries: string
  readonly port: number
  readonly tlsPort: number
  readonly secret: string
  readonly identity: KeyPair
  readonly clientCa: string
  readonly users: readonly RadiusUser[]
}

/** The name of a user for which the server sends no reply. */
export const SILENT_USER = 'silent'

/** File names with their contents. */
export const radiusConfiguration = (
  options: RadiusConfiguration,
): Readonly<Record<string, string>> => ({
  'radiusd.conf': [
    base(options),
    modules(options),
    'server main {',
    listeners(options),
    AUTHORIZE,
    AUTHENTICATE,
    POST_AUTH,
    '}',
    '',
  ].join('\n'),
  'clients.conf': clients(options),
  users: options.users.map(userEntry).join('\n'),
})

const base = ({ folder, libraries }: RadiusConfiguration): string => `
name = radius
logdir = ${folder}/log
run_dir = ${folder}/run
libdir = ${libraries}
pidfile = ${folder}/run/radius.pid
max_request_time = 30
max_requests = 16384
cleanup_delay = 2
hostname_lookups = no
log { destination = stdout, auth = no }
# No delay of rejects (its own default is 1 s). No user or group: stay who started it.
security { allow_core_dumps = no, max_attributes = 200, reject_delay = 0, status_server = yes }
proxy_requests = no
thread pool {
  start_servers = 2
  max_servers = 8
  min_spare_servers = 1
  max_spare_servers = 4
  max_requests_per_server = 0
}
$INCLUDE ${folder}/clients.conf
`

const clients = ({ secret }: RadiusConfiguration): string => `
client loopback {
  ipaddr = 127.0.0.1
  proto = udp
  secret = ${secret}
  require_message_authenticator = yes
}
clients radsec {
  client tls {
    ipaddr = 127.0.0.1
    proto = tls
    secret = radsec
    limit { max_connections = 64 }
  }
}
`

const modules = ({ folder }: RadiusConfiguration): string => `
modules {
  pap { normalise = yes }
  expr { }
  # "ok", "reject" and "handled" as statements are instances of rlm_always
  always ok { rcode = ok }
  always reject { rcode = reject }
  always handled { rcode = handled }
  files { usersfile = ${folder}/users }
  exec delay { wait = yes, program = "/bin/sleep 0.8" }
}
policy {
  challenge {
    update control { &Response-Packet-Type := Access-Challenge }
    handled
  }
  silent {
    update control { &Response-Packet-Type := Do-Not-Respond }
    handled
  }
}
`

const listeners = ({ port, tlsPort, identity, clientCa }: RadiusConfiguration): string => `
  listen { type = auth, proto = udp, ipaddr = 127.0.0.1, port = ${port} }
  listen {
    type = auth, proto = tcp, ipaddr = 127.0.0.1, port = ${tlsPort}, clients = radsec
    limit { max_connections = 64 }
    tls {
      private_key_file = ${identity.key}
      certificate_file = ${identity.certificate}
      ca_file = ${clientCa}
      cipher_list = "DEFAULT"
      tls_min_version = "1.2"
      tls_max_version = "1.3"
      require_client_cert = yes
    }
  }
`

// The server keeps session-state under the State that it makes, and finds it again by that.
const AUTHORIZE = `
  authorize {
    if (&User-Name == "${SILENT_USER}") {
      silent
    }
    files
    if (&control:Tmp-String-1 == "slow") {
      delay
    }
    if (&State && &session-state:Tmp-String-0) {
      update control {
        &Auth-Type := "%{session-state:Tmp-String-0}"
      }
    }
    elsif (&control:Tmp-String-0) {
      update control {
        &Auth-Type := "first"
      }
    }
    else {
      pap
    }
  }
`

const AUTHENTICATE = `
  authenticate {
    Auth-Type PAP {
      pap
    }
    Auth-Type first {
      # a wrong password ends here
      pap
      update session-state {
        &Tmp-String-0 := &control:Tmp-String-0
      }
      update reply {
        &Reply-Message := "Enter your one-time code:"
      }
      challenge
    }
    Auth-Type code {
      if (&User-Password == "123456") {
        ok
      }
      else {
        reject
      }
    }
    Auth-Type pin {
      if (&User-Password != "4711") {
        reject
      }
      update session-state {
        &Tmp-String-0 := "code"
      }
      update reply {
        &Reply-Message := "PIN accepted, enter your one-time code:"
      }
      challenge
    }
  }
`

// Before 3.2.5 replies are signed only where the request has the attribute. The users' attributes stay on
// rejects and challenges, against all custom: a client must not read them there.
const POST_AUTH = `
  post-auth {
    update reply {
      &Message-Authenticator := 0x00
    }
    if (&control:Tmp-String-1 == "disabled") {
      update reply {
        &Reply-Message := "Account disabled"
      }
      reject
    }
    Post-Auth-Type REJECT {
      update reply {
        &Message-Authenticator := 0x00
      }
    }
    Post-Auth-Type Challenge {
      update reply {
        &Message-Authenticator := 0x00
      }
    }
  }
`

const userEntry = ({
  name,
  password,
  disabled = false,
  second,
  slow = false,
  from,
  reply = [],
}: RadiusUser): string => {
  const checks = [
    `Cleartext-Password := ${quoted(password)}`,
    ...(disabled ? ['Tmp-String-1 := "disabled"'] : []),
    ...(slow ? ['Tmp-String-1 := "slow"'] : []),
    ...(from === undefined ? [] : [`Calling-Station-Id == ${quoted(from)}`]),
    ...(second === undefined ? [] : [`Tmp-String-0 := "${second}"`]),
  ]
  return [`${quoted(name)} ${checks.join(', ')}`, reply.join(',\n\t')].join('\n\t').trimEnd() + '\n'
}

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`
