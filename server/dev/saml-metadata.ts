import { signXml, type SamlKey } from './saml-signer.ts';

/** Metadata of an identity provider, as one publishes it. */
export function idpMetadata(o: {
  entityId: string;
  sso: string;
  slo?: string;
  keys: readonly Pick<SamlKey, 'certificate'>[];
  binding?: 'Redirect' | 'POST';
  validUntil?: string;
  sign?: SamlKey;
  /** Changes it before it is signed. */
  edit?: (xml: string) => string;
}): string {
  const bindings = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-';
  const keys = o.keys.map(
    (k) =>
      `<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>${k.certificate.toString('base64')}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`,
  );
  const slo = o.slo === undefined ? '' : `<md:SingleLogoutService Binding="${bindings}Redirect" Location="${o.slo}"/>`;
  const until = o.validUntil === undefined ? '' : ` validUntil="${o.validUntil}"`;
  const plain = `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_md" entityID="${o.entityId}"${until}><md:IDPSSODescriptor WantAuthnRequestsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">${keys.join('')}${slo}<md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat><md:SingleSignOnService Binding="${bindings}${o.binding ?? 'Redirect'}" Location="${o.sso}"/></md:IDPSSODescriptor></md:EntityDescriptor>`;
  const xml = o.edit?.(plain) ?? plain;
  return o.sign ? signXml(xml, { key: o.sign, id: '_md', first: true }) : xml;
}
