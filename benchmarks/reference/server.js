// A code of one user over HTTP, with Express and speakeasy. Prints its port when it accepts requests.
const express = require('express');
const speakeasy = require('speakeasy');

const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const app = express();
app.use(express.json());
app.get('/get-totp/:username', (request, response) => {
  const token = speakeasy.totp({ secret, encoding: 'base32' });
  response.json({ username: request.params.username, token });
});
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));
