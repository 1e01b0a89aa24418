// Where an administration interface of Envoy is: as people copy it (a URL), or as addresses are
// written everywhere else.

import { InvalidArgumentError } from 'commander'
import { addressSchema, type Address } from '../config/values.ts'
import { parsed } from './options.ts'

/** `http://HOST:PORT`, `HOST:PORT` or `unix:PATH` → where that is; throws what commander reports. */
export const parseAdminAddress = (text: string): Address => {
  if (!text.includes('://')) return parsed(addressSchema, text)
  const url = URL.parse(text)
  if (url === null) throw new InvalidArgumentError('it is no URL')
  if (url.protocol !== 'http:') {
    throw new InvalidArgumentError(
      'Envoy’s administration interface speaks plain HTTP: http://HOST:PORT, or unix:PATH',
    )
  }
  if (url.href !== `${url.origin}/`) {
    throw new InvalidArgumentError('it has to be http://HOST:PORT, and nothing more')
  }
  return parsed(addressSchema, url.port === '' ? `${url.host}:80` : url.host)
}
