// `authenticate` of a route, as several parts of the configuration read it.

import type { RouteConfig } from './schema.ts'

/** The authenticators that a route names, in their order, also as part of `all`. */
export const authenticatorsNamed = ({
  authenticate,
}: Pick<RouteConfig, 'authenticate'>): readonly string[] =>
  authenticate.flatMap((entry) => (typeof entry === 'string' ? [entry] : entry.all))
