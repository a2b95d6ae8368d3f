// An identity provider on loopback, with signing keys that are new at every start.
// Usage: node provider.mjs PORT. Prints its issuer once it listens; programs get tokens by client credentials,
// people by signing in with any password.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import Provider from 'oidc-provider';

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const groups = { ada: [], bob: ['acme-finance'], eve: [], mallory: ['acme-finance', 'globex-finance'] };

function signingKey(alg, kind, options) {
  const { privateKey } = generateKeyPairSync(kind, options);
  return { ...privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: randomUUID() };
}

const provider = new Provider(issuer, {
  clients: [
    ...Object.keys(groups).map((id) => ({
      client_id: id,
      client_secret: `secret-of-${id}`,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    })),
    { // where people sign in, in a browser
      client_id: 'web',
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1/signed-in'],
    },
  ],
  claims: { openid: ['sub', 'groups'] },
  conformIdTokenClaims: false,
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, groups: groups[id] }) }),
  jwks: { keys: [
    signingKey('RS256', 'rsa', { modulusLength: 2048 }),
    signingKey('ES256', 'ec', { namedCurve: 'P-256' }),
  ] },
  ttl: { ClientCredentials: 600 },
  extraTokenClaims: (ctx, token) => ({ groups: groups[token.clientId] }),
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (ctx, resource) => ({
        scope: 'admin',
        audience: resource,
        accessTokenFormat: 'jwt',
        accessTokenTTL: 600,
        jwt: { sign: { alg: resource.endsWith('/ec') ? 'ES256' : 'RS256' } },
      }),
    },
  },
});

provider.listen(port, '127.0.0.1', () => console.log(issuer));
