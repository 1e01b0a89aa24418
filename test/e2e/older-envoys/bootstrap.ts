// What an older Envoy does not accept of the generated bootstrap is left out or replaced here.

import { parse, stringify } from 'yaml'

type Value = string | number | boolean | null | Value[] | { [key: string]: Value }

/** Changes each object of the bootstrap, the outer ones first. */
const changed = (value: Value, change: (object: { [key: string]: Value }) => void): Value => {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => changed(item, change))
  const object = { ...value }
  change(object)
  return Object.fromEntries(
    Object.entries(object).map(([key, part]) => [key, changed(part, change)]),
  )
}

const isObject = (value: Value | undefined): value is { [key: string]: Value } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Makes the bootstrap one for an older Envoy.
 *
 * @param minor 38 for 1.38
 * @param handle the name of the certificate, for an Envoy that cannot take it from the filter state
 */
export const olderBootstrap = (yaml: string, minor: number, handle: string): string => {
  const bootstrap: Value = parse(yaml)
  const older = changed(bootstrap, (object) => {
    if (minor <= 36) delete object['access_log']
    if (minor <= 37) fixCertificate(object, handle)
  })
  return stringify(older)
}

/** One certificate for all: only for a test in which there is one user. */
const fixCertificate = (object: { [key: string]: Value }, handle: string): void => {
  const { custom_tls_certificate_selector: selector, http_filters: filters } = object
  if (Array.isArray(filters)) {
    object['http_filters'] = filters.filter(
      (filter) => !isObject(filter) || filter['name'] !== 'envoy.filters.http.set_filter_state',
    )
  }
  if (!isObject(selector) || !isObject(selector['typed_config'])) return
  delete object['custom_tls_certificate_selector']
  object['tls_certificate_sds_secret_configs'] = [
    { name: handle, sds_config: selector['typed_config']['config_source'] ?? null },
  ]
}
