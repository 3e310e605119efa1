//! What the pages say, in each language that dates and amounts are known in. `{address}` and `{sender}` stand
//! for themselves; everything else is written as HTML.

use crate::domain::consent::Purpose;
use crate::domain::language::Language;

/// The texts of one language.
pub(super) struct Words {
    pub(super) tag: &'static str,
    pub(super) unsubscribe: &'static str,
    question: &'static str,
    pub(super) other_mail: &'static str,
    pub(super) done_title: &'static str,
    done: &'static str,
    pub(super) mistake: &'static str,
    pub(super) preferences: &'static str,
    marketing: [&'static str; 2],
    tracking: [&'static str; 2],
    pub(super) yes: &'static str,
    pub(super) no: &'static str,
    pub(super) save: &'static str,
    pub(super) saved: &'static str,
    pub(super) held_back: &'static str,
    pub(super) erased: &'static str,
    pub(super) unknown_title: &'static str,
    pub(super) unknown: &'static str,
    pub(super) later_title: &'static str,
    pub(super) later: &'static str,
    /// What stands for a sender without a name.
    us: &'static str,
}

impl Words {
    pub(super) const fn of(language: Language) -> Self {
        match language {
            Language::English | Language::AmericanEnglish => Self { tag: language.tag(), ..ENGLISH },
            Language::French => FRENCH,
            Language::German => GERMAN,
            Language::Spanish => SPANISH,
            Language::Italian => ITALIAN,
            Language::Dutch => DUTCH,
        }
    }

    /// What the unsubscribe page asks.
    pub(super) fn question(&self, address: &str, sender: &str) -> String {
        self.filled(self.question, address, sender)
    }

    /// What it says when that is done.
    pub(super) fn done(&self, address: &str, sender: &str) -> String {
        self.filled(self.done, address, sender)
    }

    /// What the page of preferences calls a purpose.
    pub(super) const fn legend(&self, purpose: Purpose) -> &'static str {
        match purpose {
            Purpose::Marketing => self.marketing[0],
            Purpose::Tracking => self.tracking[0],
        }
    }

    /// The words to which somebody says yes or no there; they are kept with the answer.
    pub(super) fn statement(&self, purpose: Purpose, sender: &str) -> String {
        let text = match purpose {
            Purpose::Marketing => self.marketing[1],
            Purpose::Tracking => self.tracking[1],
        };
        self.filled(text, "", sender)
    }

    fn filled(&self, text: &str, address: &str, sender: &str) -> String {
        let sender = if sender.is_empty() { self.us } else { sender };
        // The address first: a sender may be called anything.
        let mut filled = String::with_capacity(text.len() + address.len() + sender.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            filled.push_str(if name == "address" { address } else { sender });
            rest = after;
        }
        filled + rest
    }
}

const ENGLISH: Words = Words {
    tag: "en",
    unsubscribe: "Unsubscribe",
    question: "Should {address} get no more newsletters and offers from {sender}?",
    other_mail: "Messages about your orders and your account are not affected.",
    done_title: "You are unsubscribed",
    done: "{address} gets no more newsletters and offers from {sender}.",
    mistake: "Was that a mistake? You can change it here:",
    preferences: "Your preferences",
    marketing: ["Newsletters and offers", "I want to get newsletters and offers from {sender} by e-mail."],
    tracking: [
        "Opens and clicks",
        "{sender} may record whether I open these mails and which links I follow, to send me what suits me.",
    ],
    yes: "Yes",
    no: "No",
    save: "Save",
    saved: "Your choice is saved.",
    held_back: "Mail to this address is held back for another reason, for instance because it could not be \
        delivered. Please write to the sender if you miss it.",
    erased: "This address was erased. It gets no more mail.",
    unknown_title: "This link is not known",
    unknown: "It may have been cut off on the way. Please open it again from the mail, or copy it whole.",
    later_title: "Please try again in a moment",
    later: "Your choice could not be saved just now. Nothing has changed.",
    us: "this sender",
};

const FRENCH: Words = Words {
    tag: "fr",
    unsubscribe: "Se désabonner",
    question: "L’adresse {address} ne doit-elle plus recevoir de lettres d’information ni d’offres de {sender} ?",
    other_mail: "Les messages qui concernent vos commandes et votre compte ne changent pas.",
    done_title: "Le désabonnement est fait",
    done: "L’adresse {address} ne reçoit plus de lettres d’information ni d’offres de {sender}.",
    mistake: "C’était une erreur ? Vous pouvez changer d’avis ici :",
    preferences: "Vos préférences",
    marketing: [
        "Lettres d’information et offres",
        "Je veux recevoir par e-mail les lettres d’information et les offres de {sender}.",
    ],
    tracking: [
        "Ouvertures et clics",
        "{sender} peut enregistrer si j’ouvre ces e-mails et quels liens je suis, pour m’envoyer ce qui me convient.",
    ],
    yes: "Oui",
    no: "Non",
    save: "Enregistrer",
    saved: "Votre choix est enregistré.",
    held_back: "Les e-mails à cette adresse sont retenus pour une autre raison, par exemple parce qu’ils n’ont pas \
        pu être remis. Écrivez à l’expéditeur s’ils vous manquent.",
    erased: "Cette adresse a été effacée. Elle ne reçoit plus d’e-mails.",
    unknown_title: "Ce lien n’est pas connu",
    unknown: "Il a peut-être été coupé en route. Ouvrez-le de nouveau depuis l’e-mail, ou copiez-le en entier.",
    later_title: "Veuillez réessayer dans un instant",
    later: "Votre choix n’a pas pu être enregistré. Rien n’a changé.",
    us: "cet expéditeur",
};

const GERMAN: Words = Words {
    tag: "de",
    unsubscribe: "Abmelden",
    question: "Soll {address} keine Newsletter und Angebote von {sender} mehr bekommen?",
    other_mail: "Nachrichten zu Ihren Bestellungen und Ihrem Konto sind davon nicht betroffen.",
    done_title: "Sie sind abgemeldet",
    done: "{address} bekommt keine Newsletter und Angebote von {sender} mehr.",
    mistake: "War das ein Versehen? Hier können Sie es ändern:",
    preferences: "Ihre Einstellungen",
    marketing: [
        "Newsletter und Angebote",
        "Ich möchte Newsletter und Angebote von {sender} per E-Mail bekommen.",
    ],
    tracking: [
        "Öffnungen und Klicks",
        "{sender} darf festhalten, ob ich diese E-Mails öffne und welchen Links ich folge, um mir Passendes zu schicken.",
    ],
    yes: "Ja",
    no: "Nein",
    save: "Speichern",
    saved: "Ihre Wahl ist gespeichert.",
    held_back: "E-Mails an diese Adresse werden aus einem anderen Grund zurückgehalten, zum Beispiel weil sie nicht \
        zugestellt werden konnten. Bitte schreiben Sie dem Absender, wenn sie Ihnen fehlen.",
    erased: "Diese Adresse wurde gelöscht. Sie bekommt keine E-Mails mehr.",
    unknown_title: "Dieser Link ist nicht bekannt",
    unknown: "Vielleicht wurde er unterwegs abgeschnitten. Bitte öffnen Sie ihn noch einmal aus der E-Mail oder \
        kopieren Sie ihn ganz.",
    later_title: "Bitte versuchen Sie es gleich noch einmal",
    later: "Ihre Wahl konnte gerade nicht gespeichert werden. Es hat sich nichts geändert.",
    us: "diesem Absender",
};

const SPANISH: Words = Words {
    tag: "es",
    unsubscribe: "Darse de baja",
    question: "¿La dirección {address} no debe recibir más boletines ni ofertas de {sender}?",
    other_mail: "Los mensajes sobre sus pedidos y su cuenta no cambian.",
    done_title: "Se ha dado de baja",
    done: "La dirección {address} no recibirá más boletines ni ofertas de {sender}.",
    mistake: "¿Ha sido un error? Puede cambiarlo aquí:",
    preferences: "Sus preferencias",
    marketing: ["Boletines y ofertas", "Quiero recibir por correo los boletines y las ofertas de {sender}."],
    tracking: [
        "Aperturas y clics",
        "{sender} puede registrar si abro estos correos y qué enlaces sigo, para enviarme lo que me conviene.",
    ],
    yes: "Sí",
    no: "No",
    save: "Guardar",
    saved: "Su elección se ha guardado.",
    held_back: "Los correos a esta dirección están retenidos por otro motivo, por ejemplo porque no se pudieron \
        entregar. Escriba al remitente si los echa de menos.",
    erased: "Esta dirección se ha borrado. No recibe más correos.",
    unknown_title: "Este enlace no se conoce",
    unknown: "Quizá se cortó por el camino. Ábralo de nuevo desde el correo o cópielo entero.",
    later_title: "Inténtelo de nuevo en un momento",
    later: "Su elección no se ha podido guardar. No ha cambiado nada.",
    us: "este remitente",
};

const ITALIAN: Words = Words {
    tag: "it",
    unsubscribe: "Annulla l’iscrizione",
    question: "L’indirizzo {address} non deve più ricevere newsletter e offerte di {sender}?",
    other_mail: "I messaggi sui suoi ordini e sul suo account non cambiano.",
    done_title: "L’iscrizione è annullata",
    done: "L’indirizzo {address} non riceve più newsletter e offerte di {sender}.",
    mistake: "È stato un errore? Può cambiarlo qui:",
    preferences: "Le sue preferenze",
    marketing: ["Newsletter e offerte", "Voglio ricevere per e-mail le newsletter e le offerte di {sender}."],
    tracking: [
        "Aperture e clic",
        "{sender} può registrare se apro queste e-mail e quali link seguo, per inviarmi ciò che mi interessa.",
    ],
    yes: "Sì",
    no: "No",
    save: "Salva",
    saved: "La sua scelta è salvata.",
    held_back: "Le e-mail a questo indirizzo sono trattenute per un altro motivo, per esempio perché non è stato \
        possibile consegnarle. Scriva al mittente se le mancano.",
    erased: "Questo indirizzo è stato cancellato. Non riceve più e-mail.",
    unknown_title: "Questo link non è conosciuto",
    unknown: "Forse è stato troncato. Lo apra di nuovo dall’e-mail o lo copi per intero.",
    later_title: "Riprovi tra un momento",
    later: "Non è stato possibile salvare la sua scelta. Non è cambiato nulla.",
    us: "questo mittente",
};

const DUTCH: Words = Words {
    tag: "nl",
    unsubscribe: "Afmelden",
    question: "Moet {address} geen nieuwsbrieven en aanbiedingen van {sender} meer krijgen?",
    other_mail: "Berichten over uw bestellingen en uw account veranderen niet.",
    done_title: "U bent afgemeld",
    done: "{address} krijgt geen nieuwsbrieven en aanbiedingen van {sender} meer.",
    mistake: "Was dat een vergissing? Hier kunt u het wijzigen:",
    preferences: "Uw voorkeuren",
    marketing: [
        "Nieuwsbrieven en aanbiedingen",
        "Ik wil nieuwsbrieven en aanbiedingen van {sender} per e-mail krijgen.",
    ],
    tracking: [
        "Openen en klikken",
        "{sender} mag vastleggen of ik deze mails open en welke links ik volg, om mij te sturen wat bij mij past.",
    ],
    yes: "Ja",
    no: "Nee",
    save: "Opslaan",
    saved: "Uw keuze is opgeslagen.",
    held_back: "Mail naar dit adres wordt om een andere reden tegengehouden, bijvoorbeeld omdat die niet bezorgd kon \
        worden. Schrijf de afzender als u die mist.",
    erased: "Dit adres is gewist. Het krijgt geen mail meer.",
    unknown_title: "Deze link is niet bekend",
    unknown: "Misschien is hij onderweg afgebroken. Open hem opnieuw vanuit de mail of kopieer hem helemaal.",
    later_title: "Probeer het zo meteen opnieuw",
    later: "Uw keuze kon niet worden opgeslagen. Er is niets veranderd.",
    us: "deze afzender",
};
