//! Asks DNS whatever the checks of SPF, DMARC and the host want to know, round by round
//! until they want nothing more.

use crate::dns::lookup::Question;
use crate::doctor::{PolicyFacts, check_sender};

use super::record::Servers;

/// Records that include records that include records: ten lookups deep, and the host.
const MOST_ROUNDS: usize = 16;

/// No honest domain has more.
const MOST_QUESTIONS: usize = 300;

/// Fills in the answers, and for what is not asked that there is none.
pub async fn read(servers: &Servers<'_>, facts: &mut PolicyFacts) {
    let mut asked = 0;
    for _ in 0..MOST_ROUNDS {
        check_sender(facts);
        let mut wanted: Vec<Question> = facts.answers.take_wanted();
        wanted.truncate(MOST_QUESTIONS.saturating_sub(asked));
        if wanted.is_empty() {
            break;
        }
        asked += wanted.len();
        let answers = servers.resolve_all(&wanted).await;
        for (question, came_back) in wanted.into_iter().zip(answers) {
            facts.answers.insert(question, came_back);
        }
    }
    // What is still open is told as such.
    check_sender(facts);
    for question in facts.answers.take_wanted() {
        facts.answers.insert(question, Vec::new());
    }
}
