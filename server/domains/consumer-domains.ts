import { parse } from 'tldts';

/**
 * Providers that give a mailbox to everybody: nobody may speak for all of their people. The list cannot be complete, and need not be: what
 * is not in it still takes a record that only the domain's owner can set.
 */
const CONSUMER = new Set(
  `gmail.com googlemail.com outlook.com outlook.fr outlook.de outlook.es outlook.it outlook.jp outlook.com.br outlook.co.id hotmail.com
   hotmail.co.uk hotmail.fr hotmail.de hotmail.it hotmail.es hotmail.be hotmail.ca hotmail.com.br hotmail.nl live.com live.co.uk live.fr
   live.de live.it live.nl live.be live.ca live.com.au live.cn live.jp live.se live.dk live.no msn.com passport.com windowslive.com yahoo.com yahoo.co.uk yahoo.fr
   yahoo.de yahoo.it yahoo.es yahoo.ca yahoo.com.au yahoo.com.br yahoo.com.mx yahoo.com.ar yahoo.co.in yahoo.in yahoo.co.jp yahoo.co.id
   yahoo.com.sg yahoo.com.tw yahoo.com.hk yahoo.com.ph yahoo.com.vn yahoo.co.nz yahoo.co.za yahoo.ie yahoo.gr yahoo.pl yahoo.se yahoo.dk
   yahoo.no ymail.com rocketmail.com myyahoo.com icloud.com me.com mac.com aol.com aol.co.uk aol.de aol.fr aim.com proton.me protonmail.com
   protonmail.ch pm.me tutanota.com tutanota.de tutamail.com tuta.io tuta.com keemail.me gmx.com gmx.net gmx.de gmx.at gmx.ch gmx.us
   gmx.co.uk gmx.fr web.de freenet.de t-online.de arcor.de online.de mail.com email.com usa.com post.com consultant.com engineer.com
   fastmail.com fastmail.fm hey.com zoho.com zohomail.com zohomail.eu zohomail.in hushmail.com hush.com mailfence.com mailbox.org posteo.de posteo.net
   posteo.eu runbox.com startmail.com disroot.org riseup.net mail.ru bk.ru inbox.ru list.ru internet.ru yandex.ru yandex.com yandex.by
   yandex.kz yandex.ua ya.ru rambler.ru lenta.ru ro.ru ukr.net i.ua meta.ua bigmir.net qq.com foxmail.com vip.qq.com 163.com 126.com
   yeah.net sina.com sina.cn sohu.com aliyun.com 139.com 189.cn wo.cn tom.com 21cn.com naver.com hanmail.net daum.net nate.com kakao.com
   docomo.ne.jp ezweb.ne.jp softbank.ne.jp i.softbank.jp au.com nifty.com biglobe.ne.jp rediffmail.com libero.it virgilio.it alice.it tim.it tiscali.it
   tin.it inwind.it iol.it email.it orange.fr wanadoo.fr free.fr laposte.net sfr.fr neuf.fr bbox.fr numericable.fr voila.fr club-internet.fr
   btinternet.com talktalk.net sky.com virginmedia.com ntlworld.com blueyonder.co.uk o2.co.uk tiscali.co.uk bluewin.ch hispeed.ch sunrise.ch
   aon.at chello.at a1.net telenet.be skynet.be proximus.be ziggo.nl kpnmail.nl planet.nl hetnet.nl home.nl xs4all.nl upcmail.nl casema.nl
   wp.pl o2.pl onet.pl interia.pl op.pl vp.pl poczta.onet.pl gazeta.pl seznam.cz email.cz centrum.cz post.cz volny.cz azet.sk centrum.sk
   zoznam.sk freemail.hu citromail.hu abv.bg mail.bg dir.bg walla.co.il walla.com telia.com telia.se comhem.se bredband.net spray.se online.no
   mail.dk jubii.dk ofir.dk suomi24.fi luukku.com kolumbus.fi sapo.pt clix.pt terra.com.br terra.es uol.com.br bol.com.br ig.com.br
   globo.com globomail.com r7.com zipmail.com.br telefonica.net prodigy.net.mx comcast.net xfinity.com verizon.net att.net sbcglobal.net bellsouth.net
   ameritech.net pacbell.net swbell.net cox.net charter.net spectrum.net roadrunner.com rr.com twc.com optonline.net optimum.net
   earthlink.net mindspring.com juno.com netzero.net netscape.net frontier.com frontiernet.net windstream.net centurylink.net q.com
   embarqmail.com rogers.com shaw.ca telus.net sympatico.ca bell.net videotron.ca cogeco.ca bigpond.com bigpond.net.au optusnet.com.au
   iinet.net.au tpg.com.au xtra.co.nz slingshot.co.nz mweb.co.za telkomsa.net webmail.co.za mailinator.com guerrillamail.com sharklasers.com 10minutemail.com
   temp-mail.org tempmail.com yopmail.com trashmail.com getnada.com maildrop.cc discard.email dispostable.com simplelogin.com duck.com anonaddy.com relay.firefox.com
   privaterelay.appleid.com mozmail.com opayq.com skiff.com lycos.com excite.com inbox.com inbox.lv mail.ee hot.ee gawab.com maktoob.com`.split(
    /\s+/,
  ),
);

/** Whether everybody can have a mailbox there, or under it. */
export const isConsumerDomain = (name: string): boolean => {
  const registrable = parse(name).domain;
  return CONSUMER.has(name) || (registrable !== null && CONSUMER.has(registrable));
};
