// The address of Envoy's administration interface: a URL, or an address as in the configuration.

import { InvalidArgumentError } from 'commander'
import { addressSchema, type Address } from '../config/values.ts'
import { parsed } from './options.ts'

/** `http://HOST:PORT`, `HOST:PORT` or `unix:PATH` → the address; throws what commander reports. */
export const parseAdminAddress = (text: string): Address => {
  if (!text.includes('://')) return parsed(addressSchema, text)
  const url = URL.parse(text)
  if (url === null) throw new InvalidArgumentError('must be a URL')
  if (url.protocol !== 'http:') {
    throw new InvalidArgumentError(
      'Envoy’s administration interface speaks plain HTTP: http://HOST:PORT, or unix:PATH',
    )
  }
  if (url.href !== `${url.origin}/`) {
    throw new InvalidArgumentError('must be http://HOST:PORT without a path')
  }
  return parsed(addressSchema, url.port === '' ? `${url.host}:80` : url.host)
}
