use std::fmt;

use aws_config::SdkConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;

/// Where the credentials come from. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum CredentialsSource {
    /// The SDK's default chain: environment, profile files, web identity, container, instance.
    #[default]
    Default,
    /// These.
    Static {
        /// The access key id.
        access_key: String,
        /// The secret access key.
        secret_key: String,
        /// The session token of temporary credentials.
        session_token: Option<String>,
    },
    /// Those of a role, renewed before they expire (STS `AssumeRole`).
    AssumeRole {
        /// The role's ARN.
        role_arn: String,
        /// The session's name, as it appears in CloudTrail.
        session_name: String,
        /// What the role's trust policy may ask for.
        external_id: Option<String>,
        /// The credentials that may assume the role.
        base: Box<CredentialsSource>,
    },
}

impl CredentialsSource {
    /// The credentials given, when no call is needed to get them.
    pub(super) fn fixed(&self) -> Option<Credentials> {
        match self {
            CredentialsSource::Default => None,
            CredentialsSource::Static { access_key, secret_key, session_token } => {
                let token = session_token.clone();
                Some(Credentials::new(access_key, secret_key, token, None, "millstream"))
            }
            CredentialsSource::AssumeRole { base, .. } => base.fixed(),
        }
    }

    /// `config`, which holds the base credentials, with those of the role in their place: of each role in turn.
    pub(super) async fn assume(&self, mut config: SdkConfig) -> SdkConfig {
        let mut roles = Vec::new();
        let mut source = self;
        while let CredentialsSource::AssumeRole { role_arn, session_name, external_id, base } = source {
            roles.push((role_arn, session_name, external_id));
            source = base;
        }
        for (role_arn, session_name, external_id) in roles.into_iter().rev() {
            let mut role = AssumeRoleProvider::builder(role_arn).session_name(session_name).configure(&config);
            if let Some(id) = external_id {
                role = role.external_id(id);
            }
            let provider = SharedCredentialsProvider::new(role.build().await);
            config = config.into_builder().credentials_provider(provider).build();
        }
        config
    }
}

impl fmt::Debug for CredentialsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CredentialsSource::Default => f.write_str("Default"),
            CredentialsSource::Static { access_key, .. } => {
                f.debug_struct("Static").field("access_key", access_key).finish_non_exhaustive()
            }
            CredentialsSource::AssumeRole { role_arn, session_name, base, .. } => f
                .debug_struct("AssumeRole")
                .field("role_arn", role_arn)
                .field("session_name", session_name)
                .field("base", base)
                .finish_non_exhaustive(),
        }
    }
}
