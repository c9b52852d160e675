// Swagger UI, set up from a file: the page's policy allows no script in the page itself.
window.SwaggerUIBundle({
  url: "./docs/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  // It would otherwise send the document to a validator on the Internet.
  validatorUrl: null,
});
