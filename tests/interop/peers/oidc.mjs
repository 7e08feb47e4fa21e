// An OpenID provider made with the package oidc-provider: two clients, and one refresh token for each of two people.
// Prints one line of JSON when it listens: where, the tokens, and the private key of the client that signs.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

// The package tells its notices on stdout, which nobody reads after the first line.
console.info = console.error;

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'ES256' };

const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const common = {
  grant_types: ['client_credentials', 'refresh_token', 'authorization_code'],
  redirect_uris: ['http://127.0.0.1/callback'],
  response_types: ['code'],
};
const provider = new Provider(issuer, {
  clients: [
    { ...common, client_id: 'web', client_secret: 'secret of the web' },
    { ...common, client_id: 'signer', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key] } },
  ],
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    devInteractions: { enabled: false },
  },
  enabledJWA: { clientAuthSigningAlgValues: ['ES256', 'RS256'] },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
});
server.on('request', provider.callback());

async function refreshToken(accountId) {
  const client = await provider.Client.find('web');
  const grant = new provider.Grant({ accountId, clientId: client.clientId });
  grant.addOIDCScope('openid offline_access');
  const grantId = await grant.save();
  const token = new provider.RefreshToken({
    accountId, client, grantId, scope: 'openid offline_access', gty: 'authorization_code',
  });
  return token.save();
}

console.log(JSON.stringify({
  issuer,
  ada: await refreshToken('ada'),
  bob: await refreshToken('bob'),
  key: privateKey.export({ format: 'pem', type: 'sec1' }),
}));
