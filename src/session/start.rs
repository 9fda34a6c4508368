//! What a run begins with: the picture that was given, or the one of its settings.

use super::{Given, SessionError};
use crate::picture;
use crate::pipeline::Pipeline;
use crate::settings::{Settings, Start};

impl Given<'_> {
    /// The picture and the mask of the settings stand where none is given.
    ///
    /// # Errors
    /// The settings' picture is of another size; they speak of a picture, and there is none.
    pub(super) fn or_of(self, settings: &Settings, model: &Pipeline) -> Result<Self, SessionError> {
        let missing = settings.strength < 1.0 || settings.start == Start::Asked;
        match settings.start.picture() {
            _ if self.picture.is_some() => Ok(self),
            Some(start) => {
                let (got @ [height, width, channels], expected) = (start.shape(), model.picture_of(settings));
                if [channels, height, width] != expected {
                    let [channels, height, width] = expected;
                    return Err(SessionError::StartSize { got, expected: [height, width, channels] });
                }
                let kept = || Some(start.kept()?.into_iter().map(|v| f32::from(v) / 255.0).collect());
                let picture = picture::from_bytes(start.pixels(), expected, model.card.range);
                Ok(Self { picture: Some(picture), kept: self.kept.or_else(kept), ..self })
            }
            None if self.kept.is_some() => Err(SessionError::MaskAlone),
            None if missing => Err(SessionError::NoPicture),
            None => Ok(self),
        }
    }
}
