"""Taking a Keras model apart by its config: each part left out or changed, one at a time. Pure; knows no Keras.

``variants`` lists what the model would be without each of its parts, as configs. Workers build and train them.
"""

from paribus.ablation.variants import AS_IT_IS, Variant, variants
from paribus.keras_config.model_file import read_model_file

__all__ = ["AS_IT_IS", "Variant", "read_model_file", "variants"]
