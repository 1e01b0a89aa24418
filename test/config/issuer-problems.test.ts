// `issuer` and where it is read: both or neither, and nowhere that anybody could change it on the way.

import { describe } from 'node:test'
import { checkAll } from './sections.ts'

const ISSUER = 'issuer: { url: "https://id.example.org", keys: keys }'
const OPEN =
  /^listen\.issuer: a TCP address that is not loopback needs "plaintext: true": whoever can change/

const listen = (issuer: string): string => `listen: { authz: unix:authz.sock, issuer: ${issuer} }`

describe('the issuer', () => {
  checkAll([
    {
      name: 'is read on a socket',
      input: { issuer: ISSUER, listen: listen('unix:i.sock') },
      want: [],
    },
    {
      name: 'is read on loopback',
      input: { issuer: ISSUER, listen: listen('127.0.0.1:9003') },
      want: [],
    },
    {
      name: 'is not read on a network',
      input: { issuer: ISSUER, listen: listen('0.0.0.0:9003') },
      want: [OPEN],
    },
    {
      name: 'is not read on a network, written out in full',
      input: { issuer: ISSUER, listen: listen('{ address: 10.0.0.1:9003 }') },
      want: [OPEN],
    },
    {
      name: 'is read on a network that is trusted',
      input: { issuer: ISSUER, listen: listen('{ address: 10.0.0.1:9003, plaintext: true }') },
      want: [],
    },
    {
      name: 'is read somewhere',
      input: { issuer: ISSUER },
      want: [/^issuer: needs an address where upstreams read the keys, .*"listen\.issuer"$/],
    },
    {
      name: 'is there to be read',
      input: { listen: listen('unix:i.sock') },
      want: [/^listen\.issuer: there is nothing to be read there without "issuer"$/],
    },
  ])
})
