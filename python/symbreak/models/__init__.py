"""Networks from a diffraction amplitude to the complex object."""

from symbreak.models.sisprnet import SiSPRNet
from symbreak.models.unet import UNet

__all__ = ["SiSPRNet", "UNet"]
